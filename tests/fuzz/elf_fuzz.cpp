// SPDX-License-Identifier: Apache-2.0
// Whatever ElfImage::parse accepts can be loaded: every segment inside file and window, ascending, W^X.
#include "dlaunch/slb/elf_image.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::slb;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint64_t window = 0x3ff000;
    const auto parsed = ElfImage::parse({data, size}, window);
    if (!parsed.ok()) return 0;
    const ElfImage& image = parsed.value();
    std::uint64_t end = 0;
    bool entry_found = false;
    for (std::size_t i = 0; i < image.segment_count; ++i) {
        const ElfSegment& s = image.segments[i];
        if (s.file_offset > size || s.file_size > size - s.file_offset || s.file_size > s.size) std::abort();
        if (s.offset % 4096 != 0 || s.offset < end || s.size > window - s.offset) std::abort();
        if (s.writable && s.executable) std::abort();
        entry_found |= s.executable && image.entry - link_base - s.offset < s.file_size;
        end = s.offset + s.size;
    }
    if (!entry_found || image.size < end || image.size > window) std::abort();
    return 0;
}
