// SPDX-License-Identifier: Apache-2.0
// ACPI tables by which the agent VM's kernel finds the TPM view: TPM2 [TCG-ACPI 7.3, table 7] and an SSDT with the
// device object that Linux's tpm_crb binds to. Complete tables, checksum included; the builder of core only links them.
#pragma once

#include "hypervisor/devices/tpm_crb.hpp"

#include <array>
#include <string_view>

namespace casemate::devices {

namespace acpi_detail {

/// Fills in a table's header and checksum [ACPI 5.2.6]; the body starts at offset 36.
template <std::size_t size>
constexpr std::array<std::uint8_t, size> with_header(std::array<std::uint8_t, size> table, std::string_view signature,
                                                     std::uint8_t revision) {
    const auto text = [&](std::size_t at, std::string_view value) {
        for (std::size_t i = 0; i < value.size(); ++i) table[at + i] = static_cast<std::uint8_t>(value[i]);
    };
    text(0, signature);
    table[4] = static_cast<std::uint8_t>(size);
    table[8] = revision;
    text(10, "CSMATECASEMATE");
    table[24] = 1;
    text(28, "CSMT");
    table[32] = 1;
    std::uint8_t sum = 0;
    for (const std::uint8_t byte : table) sum = static_cast<std::uint8_t>(sum + byte);
    table[9] = static_cast<std::uint8_t>(-sum);
    return table;
}

template <std::size_t size>
constexpr void put_u32(std::array<std::uint8_t, size>& table, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) table[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

} // namespace acpi_detail

constexpr std::array<std::uint8_t, 52> tpm2_table() {
    constexpr std::size_t control_address = 40, start_method = 48;
    constexpr std::uint32_t command_response_buffer = 7;
    std::array<std::uint8_t, 52> table{};
    acpi_detail::put_u32(table, control_address, TpmCrb::control_area);
    acpi_detail::put_u32(table, start_method, command_response_buffer);
    return acpi_detail::with_header(table, "TPM2", 4);
}

/// Scope (\_SB) { Device (TPM0) { Name (_HID, "MSFT0101") Name (_CRS, Memory32Fixed (ReadWrite, base, 2 pages)) } }
constexpr std::array<std::uint8_t, 88> tpm_ssdt() {
    constexpr std::uint8_t aml[] = {
        0x10, 0x33, 0x5c, '_', 'S', 'B', '_',                                          // Scope (\_SB)
        0x5b, 0x82, 0x2b, 'T', 'P', 'M', '0',                                          // Device (TPM0)
        0x08, '_',  'H',  'I', 'D', 0x0d, 'M', 'S', 'F', 'T', '0', '1', '0', '1', 0x00, // Name (_HID, ..)
        0x08, '_',  'C',  'R', 'S', 0x11, 0x11, 0x0a, 0x0e,                            // Name (_CRS, Buffer (14) ..)
        0x86, 0x09, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0,                                // Memory32Fixed
        0x79, 0x00,                                                                    // end tag
    };
    constexpr std::size_t header = 36, memory_base = header + 42, memory_length = memory_base + 4;
    static_assert(sizeof aml == 88 - header);
    std::array<std::uint8_t, 88> table{};
    for (std::size_t i = 0; i < sizeof aml; ++i) table[header + i] = aml[i];
    acpi_detail::put_u32(table, memory_base, TpmCrb::base);
    acpi_detail::put_u32(table, memory_length, 2 * TpmCrb::page);
    return acpi_detail::with_header(table, "SSDT", 2);
}

} // namespace casemate::devices
