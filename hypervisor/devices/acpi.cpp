// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/acpi.hpp"

#include "hypervisor/devices/acpi_bytecode.hpp"
#include "hypervisor/devices/watchdog.hpp"

#include <algorithm>
#include <string_view>

namespace casemate::devices {
namespace {

constexpr std::size_t header_size = 36, checksum_offset = 9;
constexpr std::uint32_t io_apic_base = 0xFEC00000, local_apic_base = 0xFEE00000;

std::uint8_t checksum(ByteView bytes) {
    std::uint8_t sum = 0;
    for (const std::uint8_t byte : bytes) sum = static_cast<std::uint8_t>(sum + byte);
    return static_cast<std::uint8_t>(-sum);
}

ByteView text(std::string_view value) {
    return {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()};
}

/// Appends whole tables to the area and remembers where they start.
class TableWriter {
public:
    TableWriter(ByteSpan area, GuestPhys base) : area_{area}, base_{base} {}

    /// Returns the guest address of the table.
    std::uint64_t add(std::string_view signature, std::uint8_t revision, ByteView body) {
        LittleEndianWriter out{rest()};
        out.bytes(text(signature));
        out.u32(static_cast<std::uint32_t>(header_size + body.size()));
        out.u8(revision);
        out.u8(0); // checksum
        out.bytes(text("CSMATECASEMATE"));
        out.u32(1);
        out.bytes(text("CSMT"));
        out.u32(1);
        out.bytes(body);
        return finish(out);
    }
    std::uint64_t add_raw(ByteView table) {
        LittleEndianWriter out{rest()};
        out.bytes(table);
        return finish(out);
    }
    [[nodiscard]] ByteSpan rest() const { return area_.subspan(used_); }
    [[nodiscard]] std::uint64_t address() const { return base_.value + used_; }
    [[nodiscard]] bool ok() const { return ok_; }

private:
    std::uint64_t finish(const LittleEndianWriter& out) {
        const std::uint64_t where = address();
        ok_ = ok_ && out.ok();
        const ByteSpan table = rest().first(out.size());
        if (table.size() > checksum_offset) table[checksum_offset] = 0;
        if (table.size() > checksum_offset) table[checksum_offset] = checksum(table);
        used_ = std::min(area_.size(), (used_ + out.size() + 15) & ~std::size_t{15});
        return where;
    }

    ByteSpan area_;
    GuestPhys base_;
    std::size_t used_ = 0;
    bool ok_ = true;
};

/// Generic address of an I/O port of 8 or 32 bits [ACPI 5.2.3.2].
void port_address(LittleEndianWriter& out, std::uint16_t port, std::uint8_t bits = 8) {
    out.u8(1);
    out.u8(bits);
    out.u8(0);
    out.u8(bits == 8 ? 1 : 3); // access size
    out.u64(port);
}

void zeros(LittleEndianWriter& out, std::size_t until) {
    while (out.ok() && header_size + out.size() < until) out.u8(0);
}

/// Fixed ACPI description table, revision 6 [ACPI 5.2.9]; offsets are the specification's.
std::uint64_t add_fadt(TableWriter& tables, std::uint64_t dsdt) {
    constexpr std::uint16_t no_vga = 1 << 2, no_cmos_rtc = 1 << 5;
    constexpr std::uint32_t reset_supported = 1 << 10, hardware_reduced = 1 << 20;
    std::array<std::uint8_t, 276 - header_size> body{};
    LittleEndianWriter out{body};
    zeros(out, 109);
    out.u16(no_vga | no_cmos_rtc);
    zeros(out, 112);
    out.u32(reset_supported | hardware_reduced);
    port_address(out, acpi_reset_port);
    out.u8(1); // reset value
    zeros(out, 140);
    out.u64(dsdt);
    zeros(out, 244);
    port_address(out, acpi_sleep_control_port);
    port_address(out, acpi_sleep_status_port);
    out.bytes(text("CASEMATE")); // hypervisor vendor
    return tables.add("FACP", 6, body);
}

/// One processor, one I/O APIC [ACPI 5.2.12].
std::uint64_t add_madt(TableWriter& tables) {
    std::array<std::uint8_t, 8 + 8 + 12> body{};
    LittleEndianWriter out{body};
    out.u32(local_apic_base);
    out.u32(0);                                                            // no 8259
    for (const std::uint8_t byte : {0, 8, 0, 0, 1, 0, 0, 0}) out.u8(byte); // local APIC, ids 0, enabled
    for (const std::uint8_t byte : {1, 12, 0, 0}) out.u8(byte);
    out.u32(io_apic_base);
    out.u32(0);
    return tables.add("APIC", 5, body);
}

/// How the watchdog is restarted, set, started and stopped: writes to its two ports [WDAT].
std::uint64_t add_wdat(TableWriter& tables) {
    constexpr std::uint32_t write_value = 2 << 8,
                            write_countdown = 3 << 8; // instruction, above the action's number
    constexpr std::uint32_t actions[][3] = {{1 | write_value, Watchdog::command_port, Watchdog::restart},
                                            {6 | write_countdown, Watchdog::countdown_port, 0},
                                            {9 | write_value, Watchdog::command_port, Watchdog::run},
                                            {11 | write_value, Watchdog::command_port, Watchdog::stop}};
    constexpr std::uint32_t own_header = 32, no_pci_device = 0xFFFF00FF, no_pci_function = 0xFF, enabled = 1;
    std::array<std::uint8_t, own_header + 24 * std::size(actions)> body{};
    LittleEndianWriter out{body};
    for (const std::uint32_t word :
         {own_header, no_pci_device, no_pci_function, Watchdog::count_ms, Watchdog::max_count,
          Watchdog::min_count, enabled, std::uint32_t{std::size(actions)}})
        out.u32(word);
    for (const auto& [instruction, port, value] : actions) {
        out.u32(instruction);
        port_address(out, static_cast<std::uint16_t>(port), 32);
        out.u32(value);
        out.u32(~0u); // mask
    }
    return tables.add("WDAT", 1, body);
}

void write_rsdp(LittleEndianWriter& out, std::uint64_t xsdt) {
    out.bytes(text("RSD PTR "));
    out.u8(0);
    out.bytes(text("CSMATE"));
    out.u8(2);
    out.u32(0); // no RSDT
    out.u32(36);
    out.u64(xsdt);
    out.u32(0);
}

} // namespace

std::optional<GuestPhys> write_acpi_tables(const mm::GuestMemory& memory, GuestPhys area, const AcpiOptions& options) {
    const ByteSpan bytes = memory.bytes(area, acpi_area_size);
    if (bytes.empty()) return std::nullopt;
    TableWriter tables{bytes, area};
    const std::uint64_t dsdt = tables.add("DSDT", 2, dsdt_body);
    std::array<std::uint8_t, 8 * 8> entries{}; // with 4 extra
    LittleEndianWriter list{entries};
    list.u64(add_fadt(tables, dsdt));
    list.u64(add_madt(tables));
    list.u64(add_wdat(tables));
    if (options.agent) list.u64(tables.add("SSDT", 2, agent_ssdt_body));
    for (const ByteView table : options.extra) list.u64(tables.add_raw(table));
    const std::uint64_t xsdt = tables.add("XSDT", 1, list.written());
    const ByteSpan rsdp = tables.rest();
    LittleEndianWriter out{rsdp};
    write_rsdp(out, xsdt);
    if (!out.ok() || !list.ok() || !tables.ok()) return std::nullopt;
    rsdp[8] = checksum(rsdp.first(20));
    rsdp[32] = checksum(rsdp.first(36));
    return GuestPhys{tables.address()};
}

} // namespace casemate::devices
