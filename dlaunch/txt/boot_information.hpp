// SPDX-License-Identifier: Apache-2.0
// What a Multiboot2 boot loader (GRUB, tboot) hands over [MULTIBOOT2 3.6]: its modules and the memory map. UNTRUSTED, like all before
// the launch; read strictly all the same, so that a mistake has a name. A module's name is the first word of its string.
// Portable; called by the hand-over.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/base/address.hpp"
#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

#include <array>
#include <span>
#include <string_view>

namespace casemate::txt {

inline constexpr std::uint32_t multiboot2_magic = 0x36d76289; // in EAX
inline constexpr std::size_t max_modules = launch::max_images + 3;
inline constexpr std::size_t max_information = 256 * 1024;

enum class HandOverError : std::uint8_t {
    not_multiboot2 = 1, // EAX has another magic
    information,        // the tags do not fit into their size, or have no end
    memory_map,         // none, or its entries are not those that we know
    module_name,        // empty, longer than 31 characters, or there twice
    too_many_modules,
    file_missing,       // slb.bin, hypervisor.elf or policy.cbor
    slb,                // slb.bin is no SLB of this version
    memory,             // no room for the TCB, the SLB or the arrays
    memory_ranges,      // more usable ranges than an SLB takes
};

[[nodiscard]] std::string_view word_of(HandOverError error);

struct BootModule {
    std::string_view name; // a view into the information
    HostRange bytes;
};

struct BootInformation {
    std::array<BootModule, max_modules> modules{};
    std::size_t module_count = 0;
    ByteView memory_map; // entries
    std::size_t entry_size = 0;

    /// The whole information, as long as its first word says.
    [[nodiscard]] static Result<BootInformation, HandOverError> parse(ByteView information);
    [[nodiscard]] const BootModule* find(std::string_view name) const;
};

/// Usable memory, page by page, sorted and merged, without the low registers and all above 512 GiB: what LaunchParams lists.
[[nodiscard]] Result<std::span<launch::MemoryRange>, HandOverError> usable_memory(const BootInformation& boot, std::span<launch::MemoryRange> out);

} // namespace casemate::txt
