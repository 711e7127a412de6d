// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/control_device.hpp"

#include "hypervisor/base/check.hpp"

#include <algorithm>

namespace casemate::devices {

namespace {

constexpr std::uint32_t magic = 0x4C544353, version = 1;
constexpr std::size_t at_magic = 0, at_version = 4, at_events = 8, at_request = 0x10, at_response = 0x20;
constexpr std::size_t request_bytes = 0x1000, response_bytes = 0x8000;

constexpr std::uint32_t identity = 0x0001'CA5E, class_revision = 0xFF0000'00;
constexpr std::uint8_t offset_command = 4, offset_class = 8, offset_subsystem = 0x2c;
constexpr std::uint16_t command_bits = 0x3; // I/O, memory

constexpr std::uint32_t low_bits(unsigned width) { return width == 4 ? ~0u : (1u << 8 * width) - 1; }

} // namespace

ControlDevice::ControlDevice(ByteSpan window, GuestPhys window_at, std::uint16_t port, ControlOperations& operations)
    : window_{window}, port_{port}, operations_{operations} {
    CHECK(window.size() == window_size);
    bars_.define(0, window_at.value, window_size, BarRegisters::prefetchable);
    bars_.define(2, port, port_count, BarRegisters::io);
    reset();
}

void ControlDevice::reset() {
    command_ = 0;
    bars_.reset();
    put(at_magic, magic);
    put(at_version, version);
    put(at_events, events_);
}

void ControlDevice::put(std::size_t offset, std::uint32_t value) {
    LittleEndianWriter{window_.subspan(offset, sizeof value)}.u32(value);
}

void ControlDevice::count_event() { put(at_events, ++events_); }

std::uint32_t ControlDevice::read_config(std::uint8_t offset, unsigned width) {
    const std::uint8_t dword = offset & 0xfc;
    std::uint32_t value = 0;
    if (BarRegisters::contains(dword))
        value = bars_.read(dword);
    else if (dword == 0 || dword == offset_subsystem)
        value = identity;
    else if (dword == offset_command)
        value = command_;
    else if (dword == offset_class)
        value = class_revision;
    return value >> 8 * (offset & 3) & low_bits(width);
}

void ControlDevice::write_config(std::uint8_t offset, unsigned width, std::uint32_t value) {
    if (BarRegisters::contains(offset))
        bars_.write(offset, width, value);
    else if (offset == offset_command && width >= 2)
        command_ = value & command_bits;
}

std::uint32_t ControlDevice::read_port(std::uint16_t, unsigned) { return 0; }

void ControlDevice::write_port(std::uint16_t port, unsigned width, std::uint32_t) {
    if (port == port_ && width == 4)
        run_request();
}

void ControlDevice::run_request() {
    LittleEndianReader header{window_.subspan(at_request, 8)};
    const std::uint32_t operation = header.u32(); // UNTRUSTED
    const std::uint32_t length = header.u32();    // UNTRUSTED
    ControlOperations::Reply reply{ControlStatus::length, 0};
    if (length <= max_request) {
        std::copy_n(window_.begin() + request_bytes, length, request_.begin());
        reply = operations_.run(operation, ByteView{request_}.first(length), window_.subspan(response_bytes));
    }
    put(at_response, static_cast<std::uint32_t>(reply.status));
    put(at_response + 4, static_cast<std::uint32_t>(reply.length));
}

} // namespace casemate::devices
