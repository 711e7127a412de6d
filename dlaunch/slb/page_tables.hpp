// SPDX-License-Identifier: Apache-2.0
// The page tables under which the hypervisor starts [APM2 5.3]:
//   0 .. 512 GiB                identity, writable, no-execute; 2 MiB pages and uncached from 0xFEC00000 to 4 GiB
//   link_base + each segment    the image, 4 KiB pages, each segment's permissions (W^X by ElfImage's invariant)
//   link_base + window - 4 KiB  the page of the jump, executable, not writable
// Pure: writes 64-bit words into `pages`, which lie at physical `at`. Called once by the SLB.
#pragma once

#include "dlaunch/slb/elf_image.hpp"
#include "dlaunch/slb/tcb_layout.hpp"

#include <span>

namespace casemate::slb {

using PageTable = std::array<std::uint64_t, 512>;

struct HypervisorMapping {
    const ElfImage& elf;
    HostPhys image;     // where link_base is loaded
    HostPhys jump_page;
};

struct PageTableRoots {
    HostPhys root;       // for CR3
    std::uint64_t upper; // entry 511 of the root: the image and the page of the jump
};

PageTableRoots build_page_tables(std::span<PageTable, page_table_pages> pages, HostPhys at,
                                 const HypervisorMapping& mapping);

} // namespace casemate::slb
