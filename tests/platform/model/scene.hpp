// SPDX-License-Identifier: Apache-2.0
// A platform that boots the SKINIT guest, and what it has said so far.
#pragma once

#include "dlaunch/model/platform.hpp"

namespace casemate::model::test {

class Scene {
public:
    /// Throws when the platform does not start.
    explicit Scene(PlatformConfig config = {});

    [[nodiscard]] Platform& platform() { return *platform_; }
    /// Steps until a console line contains `text`; false at the platform's end or after a minute.
    bool sees(const std::string& text);
    /// Steps until the platform has ended by itself; false after a minute.
    bool ends();
    [[nodiscard]] bool said(const std::string& text) const;

    std::vector<std::string> lines;
    std::vector<LaunchRecord> launches;

private:
    StateDir scratch_;
    std::unique_ptr<Platform> platform_;
};

std::vector<std::uint8_t> file_bytes(const std::filesystem::path& path);

} // namespace casemate::model::test
