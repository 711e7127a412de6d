// SPDX-License-Identifier: Apache-2.0
// Checks of what the launcher hands over [docs/interfaces/launch.md]. UNTRUSTED: all of it.
// The caller copies LaunchParams into protected memory and calls check_header(); then it copies the two arrays
// that the header names and calls check_contents(). Invariant: after both, every extent lies inside one usable
// range of the (checked) memory map, and the TCB region, the SLB, the files, the images and the arrays are
// pairwise disjoint; no usable range covers registers of the platform that matter to security.
// Called by the SLB before it writes to any memory outside its own 64 KiB.
#pragma once

#include "dlaunch/measure/launch_layout.hpp"
#include "hypervisor/base/address.hpp"
#include "hypervisor/base/result.hpp"

#include <span>

namespace casemate::slb {

enum class ParamsError {
    header = 1, // magic, version, size or counts
    tcb,        // size, alignment or place of the TCB region
    file,       // size of the hypervisor or the policy
    pointer,    // an array is not where memory can be
    memory_map, // unsorted, overlapping, unaligned, unknown kind, or covers registers
    image,      // an image's name or size
    placement,  // something outside usable memory, or two things in one place
};

/// What the SLB knows from the hardware.
struct PlatformFacts {
    HostRange slb;
    HostRange iommu;
    HostPhys top_of_low_memory;  // TOP_MEM [APM2 7.9.5]; 0 = the processor does not say
    HostPhys top_of_high_memory; // TOP_MEM2
};

/// Memory above this is used by nobody: it is outside the SLB's identity map.
inline constexpr HostPhys highest_memory{512ull << 30};

constexpr HostRange to_range(const launch::Extent& extent) { return {{extent.base}, extent.size}; }

/// Everything that can be said without following a pointer.
Status<ParamsError> check_header(const launch::LaunchParams& params, const PlatformFacts& facts);

/// `map` and `images` are copies of the arrays that a checked header names.
Status<ParamsError> check_contents(const launch::LaunchParams& params, std::span<const launch::MemoryRange> map,
                                   std::span<const launch::Image> images, const PlatformFacts& facts);

} // namespace casemate::slb
