// SPDX-License-Identifier: Apache-2.0
// Where everything lies in the TCB region. Offsets are fixed, so that the map can be drawn:
//
//   0          device table, 65,536 entries                       2 MiB
//   2 MiB      hypervisor image (virtual link_base)               4 MiB - 4 KiB
//   6 MiB-4K   the page of the jump (virtual link_base + 4 MiB - 4 KiB)
//   6 MiB      command ring | completion word | page tables | BootInfo | policy bundle | event log (1 MiB)
//   8 MiB      free for the hypervisor, to the end; the raw ELF file lies at the very end until it is loaded
//
// Invariant: every part is page aligned; nothing but the raw file depends on the region's size.
#pragma once

#include "hypervisor/base/address.hpp"

#include <cstdint>

namespace casemate::slb {

inline constexpr std::uint64_t min_tcb_size = 16 * 1024 * 1024;
inline constexpr std::uint64_t max_tcb_size = 256 * 1024 * 1024;
inline constexpr std::uint64_t device_table_size = 2 * 1024 * 1024;
inline constexpr std::uint64_t image_window = 4 * 1024 * 1024; // the jump page is its last page
inline constexpr std::uint64_t max_hypervisor_file = 7 * 1024 * 1024;
inline constexpr std::uint64_t max_policy_file = 64 * 1024;
inline constexpr std::uint64_t page_table_pages = 8;
inline constexpr std::uint64_t boot_info_size = 8192;
inline constexpr std::uint64_t log_size = 1024 * 1024;

struct TcbLayout {
    HostPhys device_table, image, jump_page, command_ring, completion, page_tables, boot_info, policy, log, free, end;

    static constexpr TcbLayout of(HostRange tcb) {
        TcbLayout at{};
        at.device_table = tcb.base;
        at.image = at.device_table + device_table_size;
        at.jump_page = at.image + (image_window - page_size);
        at.command_ring = at.image + image_window;
        at.completion = at.command_ring + page_size;
        at.page_tables = at.completion + page_size;
        at.boot_info = at.page_tables + page_table_pages * page_size;
        at.policy = at.boot_info + boot_info_size;
        at.log = at.policy + max_policy_file;
        at.free = tcb.base + min_tcb_size / 2;
        at.end = tcb.end();
        return at;
    }
};

// The fixed parts end before the free part, and the raw file fits into the free part.
static_assert(TcbLayout::of({{0}, min_tcb_size}).log.value + log_size <= min_tcb_size / 2);
static_assert(max_hypervisor_file <= min_tcb_size / 2);

} // namespace casemate::slb
