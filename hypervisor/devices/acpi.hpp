// SPDX-License-Identifier: Apache-2.0
// A VM's ACPI tables: hardware-reduced, no legacy devices [ACPI 5.2]. RSDP, XSDT, FADT, MADT, WDAT, DSDT, and for the agent
// an SSDT and whatever its virtual TPM adds.
// Written into the last pages of guest RAM by the loader; the guest may overwrite them, nobody reads them back.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/mm/guest_memory.hpp"

#include <optional>

namespace casemate::devices {

/// Ports that FADT announces.
inline constexpr std::uint16_t acpi_reset_port = 0x600, acpi_sleep_control_port = 0x601,
                               acpi_sleep_status_port = 0x602;
/// Writing any value there asks for a snapshot (docs/adr/0014). In no table: who uses it knows it.
inline constexpr std::uint16_t snapshot_port = 0x610;
inline constexpr std::uint64_t acpi_area_size = 64 * 1024;

struct AcpiOptions {
    bool agent = false;                   // management UART in the namespace
    std::span<const ByteView> extra = {}; // up to 4 more tables, whole; they must live as long as the VM
};

/// Address of the RSDP, or nothing if the tables do not fit into `acpi_area_size` at `area`.
[[nodiscard]] std::optional<GuestPhys> write_acpi_tables(const mm::GuestMemory& memory, GuestPhys area,
                                                         const AcpiOptions& options);

} // namespace casemate::devices
