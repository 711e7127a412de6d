// SPDX-License-Identifier: Apache-2.0
// A software TPM on its own, without a machine: for what its owner does to it before it is built in, and for tests.
// One command at a time, at any locality. Not while a Platform uses the same state directory.
#pragma once

#include "dlaunch/model/child.hpp"
#include "dlaunch/model/tpm_frames.hpp"
#include "dlaunch/model/unique_fd.hpp"

#include <filesystem>
#include <memory>
#include <vector>

namespace casemate::model {

class SoftwareTpm {
public:
    /// Powers it on, started up. `directory`: TpmIdentity::directory.
    static Outcome<std::unique_ptr<SoftwareTpm>> start(const std::filesystem::path& directory);

    [[nodiscard]] Outcome<std::vector<std::uint8_t>> exchange(ByteView command, std::uint8_t locality);
    /// What SKINIT does: PCR 17 to 22 start at zero, 17 with a measurement of `block`.
    Status<Error> launch(ByteView block);

private:
    explicit SoftwareTpm(std::unique_ptr<Reactor> reactor) : reactor_{std::move(reactor)} {}
    Status<Error> open(const std::filesystem::path& directory);
    Status<Error> control(Control what, ByteView body);
    Status<Error> expect_success();

    std::unique_ptr<Reactor> reactor_;
    std::unique_ptr<Child> swtpm_; // ends with this object
    UniqueFd control_, data_;
};

} // namespace casemate::model
