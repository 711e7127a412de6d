// SPDX-License-Identifier: Apache-2.0
// A VM's RAM as the hypervisor sees it: guest-physical 0 .. size, one contiguous host range.
// Invariant: no access outside it. What a VM wrote there is UNTRUSTED and may change between two reads (DMA):
// copy once, then check. Used by the loader, instruction emulation and virtual devices.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/bytes.hpp"

#include <optional>
#include <type_traits>

namespace casemate::mm {

class GuestMemory {
public:
    constexpr GuestMemory() = default;
    constexpr explicit GuestMemory(ByteSpan ram) : ram_{ram} {}

    [[nodiscard]] constexpr std::uint64_t size() const { return ram_.size(); }

    /// The bytes at `where`, or an empty span if any of them lies outside the RAM.
    [[nodiscard]] constexpr ByteSpan bytes(GuestPhys where, std::uint64_t count) const {
        if (where.value > ram_.size() || count > ram_.size() - where.value) return {};
        return ram_.subspan(where.value, count);
    }

    template <typename T>
    requires std::is_trivially_copyable_v<T>
    [[nodiscard]] std::optional<T> read(GuestPhys where) const {
        const ByteSpan source = bytes(where, sizeof(T));
        if (source.empty()) return std::nullopt;
        T value;
        __builtin_memcpy(&value, source.data(), sizeof(T)); // in line also without a C library
        return value;
    }

    /// False, and nothing written, if it does not fit.
    template <typename T>
    requires std::is_trivially_copyable_v<T>
    [[nodiscard]] bool write(GuestPhys where, const T& value) const {
        const ByteSpan target = bytes(where, sizeof(T));
        if (target.empty()) return false;
        __builtin_memcpy(target.data(), &value, sizeof(T));
        return true;
    }

private:
    ByteSpan ram_;
};

} // namespace casemate::mm
