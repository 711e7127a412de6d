// SPDX-License-Identifier: Apache-2.0
// Which QEMU this process uses, and what its version changes. `casemate --qemu PATH` names another than the one in PATH, by
// the environment variable CASEMATE_QEMU. Known to work: 7.2 (Debian 12) and 10.0 (its backports).
#pragma once

#include <string>
#include <string_view>

namespace casemate::model {

struct Emulator {
    std::string program = "qemu-system-x86_64";
    unsigned major = 7; // version; also when it does not say: then starting it will fail, with its own words

    /// Its emulated processors have x2APIC, so a dedicated core needs no exits for interrupts (docs/adr/0018).
    [[nodiscard]] bool has_x2apic() const { return major >= 10; }
    /// Its IOMMU passes DMA through where it is told to deny, unless asked not to.
    [[nodiscard]] bool passes_through() const { return major >= 10; }
    /// Its I/O APIC's interrupts go through the interrupt remapping that its IOMMU offers.
    [[nodiscard]] bool remaps_line_interrupts() const { return major < 10; }
    /// Which interface its plugins are built for: 1, or 3, whose instructions are copied.
    [[nodiscard]] unsigned plugin_interface() const { return major >= 10 ? 3 : 1; }
};

/// Of what `PROGRAM --version` prints: "QEMU emulator version 10.0.2 (Debian ...)". 0 when it is something else.
[[nodiscard]] unsigned major_version(std::string_view text);
/// Looked up once.
[[nodiscard]] const Emulator& emulator();

} // namespace casemate::model
