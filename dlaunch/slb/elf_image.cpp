// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/elf_image.hpp"

#include "hypervisor/base/address.hpp"

namespace casemate::slb {

namespace {

// [ELF figure 3, 4 and 5-x], in the standard's spelling.
constexpr std::uint8_t ident_start[7] = {0x7f, 'E', 'L', 'F', 2 /*64*/, 1 /*LSB*/, 1 /*EV_CURRENT*/};
constexpr std::uint8_t osabi_system_v = 0, osabi_gnu = 3; // GNU: kinds of symbols, which nobody reads here
constexpr std::size_t ident_rest = 8;                     // ABI version and padding
constexpr std::uint16_t et_exec = 2, em_x86_64 = 62;
constexpr std::uint32_t ev_current = 1;
constexpr std::uint16_t ehdr_size = 64, phdr_size = 56;
constexpr std::uint32_t pt_null = 0, pt_load = 1, pt_note = 4, pt_gnu_stack = 0x6474e551, pt_gnu_relro = 0x6474e552;
constexpr std::uint32_t pf_x = 1, pf_w = 2, pf_r = 4;

struct ProgramHeader {
    std::uint32_t p_type, p_flags;
    std::uint64_t p_offset, p_vaddr, p_filesz, p_memsz;
};

struct Header {
    std::uint64_t e_entry, e_phoff;
    std::uint16_t e_phnum;
};

Result<Header, ElfError> read_header(ByteView raw) {
    LittleEndianReader in{raw};
    if (!equal(in.bytes(sizeof ident_start), ident_start)) return Failure{ElfError::header};
    const std::uint8_t osabi = in.u8();
    if (osabi != osabi_system_v && osabi != osabi_gnu) return Failure{ElfError::header};
    in.bytes(ident_rest);
    const bool machine = in.u16() == et_exec && in.u16() == em_x86_64 && in.u32() == ev_current;
    Header header{};
    header.e_entry = in.u64();
    header.e_phoff = in.u64();
    in.u64(); // e_shoff
    in.u32(); // e_flags
    const bool sizes = in.u16() == ehdr_size && in.u16() == phdr_size;
    header.e_phnum = in.u16();
    if (!in.ok() || !machine || !sizes) return Failure{ElfError::header};
    return header;
}

ProgramHeader read_program_header(LittleEndianReader& in) {
    ProgramHeader p{};
    p.p_type = in.u32();
    p.p_flags = in.u32();
    p.p_offset = in.u64();
    p.p_vaddr = in.u64();
    in.u64(); // p_paddr: the SLB chooses where the image lies
    p.p_filesz = in.u64();
    p.p_memsz = in.u64();
    in.u64(); // p_align: pages, by the check of p_vaddr
    return p;
}

Result<ElfSegment, ElfError> check_segment(const ProgramHeader& p, std::size_t file_size, std::uint64_t window) {
    if (p.p_offset > file_size || p.p_filesz > file_size - p.p_offset) return Failure{ElfError::file_range};
    if (p.p_vaddr % page_size != 0) return Failure{ElfError::alignment};
    if (p.p_vaddr < link_base || p.p_vaddr - link_base > window) return Failure{ElfError::memory_range};
    const std::uint64_t offset = p.p_vaddr - link_base;
    if (p.p_memsz == 0 || p.p_memsz < p.p_filesz || p.p_memsz > window - offset)
        return Failure{ElfError::memory_range};
    const bool writable = p.p_flags & pf_w, executable = p.p_flags & pf_x;
    if (!(p.p_flags & pf_r) || (writable && executable)) return Failure{ElfError::permissions};
    return ElfSegment{p.p_offset, p.p_filesz, offset, p.p_memsz, writable, executable};
}

constexpr std::uint64_t round_up(std::uint64_t value) { return (value + page_size - 1) / page_size * page_size; }

/// Appends a segment; segments come in ascending order and share no page.
Status<ElfError> append(ElfImage& image, const ElfSegment& segment) {
    if (image.segment_count == max_segments) return Failure{ElfError::table};
    if (segment.offset < image.size) return Failure{ElfError::memory_range};
    image.segments[image.segment_count++] = segment;
    image.size = round_up(segment.offset + segment.size);
    return Done{};
}

bool entry_is_code(const ElfImage& image) {
    for (const ElfSegment& s : image.segments) {
        const std::uint64_t start = link_base + s.offset;
        if (s.executable && image.entry >= start && image.entry - start < s.file_size) return true;
    }
    return false;
}

} // namespace

Result<ElfImage, ElfError> ElfImage::parse(ByteView raw, std::uint64_t window_size) {
    const Header header = TRY(read_header(raw));
    const std::size_t table_size = std::size_t{header.e_phnum} * phdr_size;
    if (header.e_phnum == 0 || header.e_phoff > raw.size() || table_size > raw.size() - header.e_phoff)
        return Failure{ElfError::table};
    LittleEndianReader table{raw.subspan(header.e_phoff, table_size)};
    ElfImage image;
    image.entry = header.e_entry;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const ProgramHeader p = read_program_header(table);
        if (p.p_type == pt_load) {
            const ElfSegment segment = TRY(check_segment(p, raw.size(), window_size));
            TRY(append(image, segment));
        } else if (p.p_type != pt_null && p.p_type != pt_note && p.p_type != pt_gnu_stack && p.p_type != pt_gnu_relro) {
            return Failure{ElfError::segment_type};
        }
    }
    if (!entry_is_code(image)) return Failure{ElfError::entry};
    return image;
}

} // namespace casemate::slb
