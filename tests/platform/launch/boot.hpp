// SPDX-License-Identifier: Apache-2.0
// One boot of the launcher with files of the test's choice, and what COM1 said.
#pragma once

#include "dlaunch/model/platform.hpp"

#include <map>
#include <optional>

namespace casemate::launch_test {

using Bytes = std::vector<std::uint8_t>;
/// Name in \casemate to contents.
using Files = std::map<std::string, Bytes>;

/// The files of a good launch: launch.cfg, slb.bin, hypervisor.elf (the probe), policy.cbor, vmlinuz, initrd.
Files good_files();
/// A bundle of two of three owners, with so many signatures.
Bytes bundle_of_owners(std::size_t signatures);

class Boot {
public:
    /// Throws when the platform does not start.
    explicit Boot(const Files& files, model::PlatformConfig config = {});

    [[nodiscard]] model::Platform& platform() { return *platform_; }
    /// Steps until a line with `@cm event=NAME` has come and returns it; nothing after two minutes.
    std::optional<std::string> event(const std::string& name);
    /// Steps until a line that contains `text` has come; false after two minutes.
    bool says(const std::string& text);
    /// The machine's physical memory as it is now; empty when it cannot be read.
    [[nodiscard]] Bytes memory(std::uint64_t address, std::size_t size);

private:
    std::optional<std::string> wait_for(const std::string& text);
    [[nodiscard]] std::optional<std::string> seen(const std::string& text) const;

    model::StateDir scratch_;
    std::vector<std::string> lines_;
    std::unique_ptr<model::Platform> platform_;
};

/// The value of `key=value` in an event's line; empty when it is not there.
std::string field(const std::string& line, const std::string& key);

} // namespace casemate::launch_test
