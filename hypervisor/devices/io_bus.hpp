// SPDX-License-Identifier: Apache-2.0
// Where a VM's virtual devices register the ports, guest-physical ranges and MSRs that they answer for.
// Invariant: ranges of one kind never overlap. An access that no device claims reads all ones and writes nothing
// (ports), ends the VM (memory), or is #GP (MSRs); that is decided by core/exit_*.cpp.
// Devices are registered while the VM is built, before it first runs; values passed in are UNTRUSTED.
#pragma once

#include "hypervisor/base/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace casemate::devices {

/// `width` is 1, 2 or 4 bytes; the access may start at any port of the registered range and reach beyond its end.
class PortDevice {
public:
    virtual std::uint32_t read_port(std::uint16_t port, unsigned width) = 0;
    virtual void write_port(std::uint16_t port, unsigned width, std::uint32_t value) = 0;

protected:
    ~PortDevice() = default;
};

/// `width` is 1, 2, 4 or 8 bytes; `offset` is from the start of the registered range.
class MemoryDevice {
public:
    virtual std::uint64_t read_memory(std::uint64_t offset, unsigned width) = 0;
    virtual void write_memory(std::uint64_t offset, unsigned width, std::uint64_t value) = 0;

protected:
    ~MemoryDevice() = default;
};

/// No value / false means #GP for the guest.
class MsrDevice {
public:
    virtual std::optional<std::uint64_t> read_msr(std::uint32_t index) = 0;
    virtual bool write_msr(std::uint32_t index, std::uint64_t value) = 0;

protected:
    ~MsrDevice() = default;
};

template <typename Device, typename Number, std::size_t capacity>
class RangeRegistry {
public:
    struct Range {
        Number first;
        Number count;
        Device* device;
    };

    /// False when the table is full or the range is empty or overlaps another.
    [[nodiscard]] bool add(Number first, Number count, Device& device) {
        if (size_ == capacity || count == 0) return false;
        for (std::size_t i = 0; i < size_; ++i)
            if (first < ranges_[i].first + ranges_[i].count && ranges_[i].first < first + count) return false;
        ranges_[size_++] = {first, count, &device};
        return true;
    }
    [[nodiscard]] const Range* find(Number where) const {
        for (std::size_t i = 0; i < size_; ++i)
            if (where >= ranges_[i].first && where - ranges_[i].first < ranges_[i].count) return &ranges_[i];
        return nullptr;
    }

private:
    std::array<Range, capacity> ranges_{};
    std::size_t size_ = 0;
};

struct IoBus {
    RangeRegistry<PortDevice, std::uint32_t, 16> ports;
    RangeRegistry<MemoryDevice, std::uint64_t, 16> memory;
    RangeRegistry<MsrDevice, std::uint32_t, 8> msrs;
};

} // namespace casemate::devices
