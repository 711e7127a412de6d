// SPDX-License-Identifier: Apache-2.0
// See artefacts.hpp.
#include "dlaunch/session/artefacts.hpp"

namespace casemate::session {

std::optional<std::filesystem::path> Artefacts::missing() const {
    const std::filesystem::path needed[] = {
        launcher(), slb(), hypervisor(), policy(), reference(), images() / "vmlinuz", keys() / "grant.pem",
        program("casemate-verifierd"), program("casemate-relay"), program("casemate-peer"),
    };
    for (const auto& path : needed) {
        if (!std::filesystem::exists(path)) return path;
    }
    return std::nullopt;
}

} // namespace casemate::session
