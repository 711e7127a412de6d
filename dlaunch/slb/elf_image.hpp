// SPDX-License-Identifier: Apache-2.0
// The hypervisor's ELF file, strictly read: a static ELF64 for x86-64, linked at `link_base`, with page-aligned
// load segments that do not overlap and are never both writable and executable [ELF].
// Invariant: whatever parse() returns can be loaded without a further check: file parts lie in the file, memory
// parts in the window of `window_size` bytes above link_base, the entry in an executable segment's file part.
// Called by the SLB, after the raw file was measured. Everything else than this form is refused, not repaired.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

#include <array>

namespace casemate::slb {

enum class ElfError {
    header = 1,    // not a static little-endian ELF64 for x86-64
    table,         // program headers missing, too many, or outside the file
    segment_type,  // a segment that needs a loader that we are not
    file_range,    // a segment's bytes are not in the file
    memory_range,  // a segment's memory is outside the window, out of order or overlaps
    alignment,     // a segment does not start on a page
    permissions,   // writable and executable, or not readable
    entry,         // the entry point is in no executable segment
};

inline constexpr std::uint64_t link_base = 0xffffffff80000000;
inline constexpr std::size_t max_segments = 8;

struct ElfSegment {
    std::uint64_t file_offset = 0;
    std::uint64_t file_size = 0;
    std::uint64_t offset = 0; // from link_base, page aligned
    std::uint64_t size = 0;   // in memory; what file_size does not cover is zero
    bool writable = false;
    bool executable = false;
};

struct ElfImage {
    std::array<ElfSegment, max_segments> segments{};
    std::size_t segment_count = 0;
    std::uint64_t entry = 0; // virtual
    std::uint64_t size = 0;  // of the whole image from link_base, page aligned

    /// UNTRUSTED: raw.
    static Result<ElfImage, ElfError> parse(ByteView raw, std::uint64_t window_size);
};

} // namespace casemate::slb
