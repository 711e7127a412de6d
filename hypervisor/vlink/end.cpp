// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/vlink/end.hpp"

#include "hypervisor/vlink/link.hpp"

namespace casemate::vlink {
namespace {

using devices::BarRegisters;

// Parts of BAR 0.
constexpr std::uint64_t at_common = 0x000, at_isr = 0x100, at_device = 0x200, at_table = 0x800, at_pending = 0xc00;

constexpr std::uint8_t at_command = 0x04, at_message_control = 0x42; // in configuration space
constexpr std::uint16_t command_bits = 0x407;                        // I/O, memory, bus master, INTx off
constexpr std::uint16_t status_capabilities = 1 << 4;

/// Appends a virtio capability [VIRTIO 4.1.4]; `next` is the offset of the one behind it, 0 if none.
constexpr void add_capability(LittleEndianWriter& out, std::uint8_t next, std::uint8_t length,
                              std::uint8_t type, std::uint8_t bar, std::uint64_t offset, std::uint64_t size) {
    for (const std::uint8_t byte : {std::uint8_t{0x09}, next, length, type}) out.u8(byte);
    out.u32(bar);
    out.u32(static_cast<std::uint32_t>(offset));
    out.u32(static_cast<std::uint32_t>(size));
}

/// What never changes of the first 144 bytes; the rest reads zero.
constexpr auto fixed_config = [] {
    std::array<std::uint8_t, 256> bytes{};
    LittleEndianWriter head{bytes};
    head.u32(0x1041'1AF4); // network device, modern
    head.u16(0);
    head.u16(status_capabilities);
    head.u32(0x020000'01); // Ethernet, revision 1
    LittleEndianWriter subsystem{ByteSpan{bytes}.subspan(0x2c)};
    subsystem.u32(0x1041'1AF4);
    bytes[0x34] = 0x40;
    LittleEndianWriter list{ByteSpan{bytes}.subspan(0x40)};
    list.u16(0x4C'11);             // MSI-X at 40h, next at 4Ch
    list.u16(Messages::count - 1); // at_message_control
    list.u32(at_table);            // BAR 0
    list.u32(at_pending);          // BAR 0
    add_capability(list, 0x5C, 16, 1, 0, at_common, VirtioNet::common_size);
    add_capability(list, 0x6C, 16, 3, 0, at_isr, VirtioNet::isr_size);
    add_capability(list, 0x7C, 16, 4, 0, at_device, VirtioNet::device_size);
    add_capability(list, 0x00, 20, 2, 1, 0, sizeof(std::uint16_t));
    list.u32(0); // notify_off_multiplier: one port for all queues
    return bytes;
}();

constexpr std::uint32_t low_bits(unsigned width) { return width >= 4 ? ~0u : (1u << 8 * width) - 1; }

/// Offset inside a part of BAR 0, or nothing.
constexpr std::optional<std::uint64_t> inside(std::uint64_t offset, std::uint64_t part, std::uint64_t size) {
    if (offset < part || offset >= part + size) return std::nullopt;
    return offset - part;
}

} // namespace

End::End(Link& link, unsigned side, const Owner& owner, const MacAddress& mac)
    : link_{link}, side_{side}, slot_{owner.slot}, host_{owner.host}, messages_{owner.host}, net_{
                                                                                                 owner.memory,
                                                                                                 mac,
                                                                                                 messages_} {
    bars_.define(0, first_registers + slot_ * registers_size, registers_size, 0);
    bars_.define(1, first_port + slot_ * std::uint64_t{port_count}, port_count, BarRegisters::io);
    messages_.reset();
}

bool End::attach(devices::PciBus& pci, devices::IoBus& bus) {
    return slot_ < max_slots && pci.attach(first_pci_device + slot_, 0, *this) &&
           bus.memory.add(first_registers + slot_ * registers_size, registers_size, *this) &&
           bus.ports.add(first_port + slot_ * port_count, port_count, *this);
}

void End::reset() {
    const LockGuard guard{link_.lock()};
    messages_.reset();
    net_.reset();
    bars_.reset();
    command_ = 0;
    work_.store(false, std::memory_order_relaxed);
    link_.settle();
}

void End::ask_service() {
    work_.store(true, std::memory_order_release);
    host_.call_service();
}

void End::ask_service_soon() {
    work_.store(true, std::memory_order_release);
    host_.call_service_soon();
}

void End::service() {
    if (!has_work()) return; // asked in each review: no locked access
    work_.store(false, std::memory_order_relaxed);
    const LockGuard guard{link_.lock()};
    link_.pump(side_);
}

std::uint32_t End::read_config(std::uint8_t offset, unsigned width) {
    const LockGuard guard{link_.lock()};
    const std::uint8_t dword = offset & 0xfc;
    std::uint32_t value = LittleEndianReader{ByteView{fixed_config}.subspan(dword, 4)}.u32();
    if (BarRegisters::contains(dword)) value = bars_.read(dword);
    if (dword == at_command) value |= command_;
    if (dword == (at_message_control & 0xfc)) value |= std::uint32_t{messages_.control()} << 16;
    return value >> 8 * (offset & 3) & low_bits(width);
}

void End::write_config(std::uint8_t offset, unsigned width, std::uint32_t value) {
    const LockGuard guard{link_.lock()};
    if (BarRegisters::contains(offset))
        bars_.write(offset, width, value);
    else if (offset == at_command && width >= 2)
        command_ = value & command_bits;
    else if (offset == at_message_control && width == 2)
        messages_.write_control(static_cast<std::uint16_t>(value));
}

std::uint64_t End::read_memory(std::uint64_t offset, unsigned width) {
    const LockGuard guard{link_.lock()};
    if (const auto at = inside(offset, at_common, VirtioNet::common_size)) return net_.read_common(*at);
    if (offset == at_isr) return net_.read_isr();
    if (const auto at = inside(offset, at_device, VirtioNet::device_size)) {
        const auto config = net_.device_config();
        std::uint64_t value = 0;
        for (std::uint64_t i = 0; i < width && *at + i < config.size(); ++i)
            value |= std::uint64_t{config[*at + i]} << 8 * i;
        return value;
    }
    if (const auto at = inside(offset, at_table, Messages::table_size)) return messages_.read(*at / 4);
    return offset == at_pending ? messages_.pending() : 0;
}

void End::write_memory(std::uint64_t offset, unsigned width, std::uint64_t value) {
    const LockGuard guard{link_.lock()};
    write_registers(offset, width, static_cast<std::uint32_t>(value) & low_bits(width));
    link_.settle();
}

void End::write_registers(std::uint64_t offset, unsigned width, std::uint32_t value) {
    if (const auto at = inside(offset, at_common, VirtioNet::common_size))
        net_.write_common(*at, value);
    else if (const auto entry = inside(offset, at_table, Messages::table_size);
             entry && width == 4 && offset % 4 == 0)
        messages_.write(*entry / 4, value);
}

void End::write_port(std::uint16_t port, unsigned width, std::uint32_t value) {
    if (port != first_port + slot_ * port_count || width != 2) return;
    const LockGuard guard{link_.lock()};
    link_.notified(side_, static_cast<std::uint16_t>(value));
}

} // namespace casemate::vlink
