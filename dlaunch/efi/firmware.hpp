// SPDX-License-Identifier: Apache-2.0
// What the launcher asks of the firmware: console, memory, files, the memory map, the end of boot services.
// Invariant: pages that were allocated here are given back by the destructor, unless boot services were left.
// Used by main.cpp until leave() succeeds; nothing of it may be called afterwards.
#pragma once

#include "dlaunch/efi/refusal.hpp"
#include "dlaunch/efi/uefi.hpp"
#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/base/address.hpp"
#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

#include <array>
#include <span>
#include <string_view>

namespace casemate::efi {

/// low: below 3 GiB. The SLB runs with 3 to 4 GiB uncached.
enum class Placement { anywhere, low };

class Firmware {
public:
    Firmware(EFI_HANDLE image, EFI_SYSTEM_TABLE* system) : image_{image}, system_{system} {}
    ~Firmware();
    Firmware(const Firmware&) = delete;
    Firmware& operator=(const Firmware&) = delete;

    /// ASCII, without a line end of its own.
    void say(std::string_view text);

    [[nodiscard]] bool has_tcg2() const;

    /// Zeroed pages.
    Result<HostRange, RefusalKind> allocate(std::uint64_t size, std::uint64_t alignment, Placement placement);

    /// A whole file of \casemate on the volume that the launcher came from.
    Result<HostRange, Refusal> load(std::string_view name, std::uint64_t most);

    /// Leaves boot services and returns the memory map, converted into `out`.
    Result<std::span<launch::MemoryRange>, Refusal> leave(std::span<launch::MemoryRange> out);

private:
    Result<EFI_FILE_HANDLE, Refusal> open(std::string_view name);
    Result<HostRange, Refusal> read_all(EFI_FILE_HANDLE file, std::string_view name, std::uint64_t most);

    struct Allocation {
        EFI_PHYSICAL_ADDRESS base = 0;
        UINTN pages = 0;
    };
    EFI_HANDLE image_;
    EFI_SYSTEM_TABLE* system_;
    std::array<Allocation, 32> allocations_{};
    std::size_t allocation_count_ = 0;
};

} // namespace casemate::efi
