// SPDX-License-Identifier: Apache-2.0
// Where the build put what a session needs. Paths only; `missing()` says what is not there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace casemate::session {

struct Artefacts {
    std::filesystem::path build; // directory of the release preset

    [[nodiscard]] std::filesystem::path launcher() const { return program("dlaunch.efi"); }
    [[nodiscard]] std::filesystem::path slb() const { return program("slb.bin"); }
    [[nodiscard]] std::filesystem::path hypervisor() const { return program("hypervisor.elf"); }
    [[nodiscard]] std::filesystem::path policy() const { return build / "policy.cbor"; }
    [[nodiscard]] std::filesystem::path reference() const { return build / "reference.json"; }
    [[nodiscard]] std::filesystem::path images() const { return build / "images"; }
    [[nodiscard]] std::filesystem::path keys() const { return build / "dev-keys"; }
    /// The source of policy(), which the build copies beside it.
    [[nodiscard]] std::filesystem::path policy_source() const { return build / "policy.toml"; }
    [[nodiscard]] std::filesystem::path program(const std::string& name) const { return build / "bin" / name; }

    /// The first file that is not there.
    [[nodiscard]] std::optional<std::filesystem::path> missing() const;
};

} // namespace casemate::session
