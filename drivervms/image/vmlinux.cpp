// SPDX-License-Identifier: Apache-2.0
// Implements vmlinux.hpp.
#include "drivervms/image/vmlinux.hpp"

#include "drivervms/image/elf_file.hpp"

#include <algorithm>

namespace casemate::image {
namespace {

using Segments = std::vector<Elf64_Phdr>;

constexpr std::uint64_t largest = 128 << 20;

void require(bool condition, const char* reason) {
    if (!condition) throw std::runtime_error(std::string{"vmlinux: "} + reason);
}

void check_header(const Bytes& file) {
    const auto header = elf_header(file);
    require(header.e_type == ET_EXEC && header.e_machine == EM_X86_64, "not a program for x86-64");
    require(header.e_phentsize == sizeof(Elf64_Phdr), "program headers of another size");
}

/// PT_LOAD: inside the file, ascending by physical address, none over another.
Segments segments_of(const Bytes& file) {
    Segments segments = program_headers(file);
    std::erase_if(segments, [](const Elf64_Phdr& each) { return each.p_type != PT_LOAD; });
    require(!segments.empty(), "no segment");
    const std::uint64_t base = segments.front().p_paddr;
    require(base % kernel_step == 0 && base < UINT64_MAX - largest, "a base that cannot be moved");
    std::uint64_t end = base;
    for (const Elf64_Phdr& each : segments) {
        require(each.p_offset <= file.size() && each.p_filesz <= file.size() - each.p_offset, "a segment outside the file");
        require(each.p_filesz <= each.p_memsz, "a segment that is larger in the file");
        require(each.p_paddr >= end && each.p_paddr - base <= largest && each.p_memsz <= largest - (each.p_paddr - base),
                "segments that overlap, descend or are too large");
        end = each.p_paddr + each.p_memsz;
    }
    return segments;
}

Bytes laid_out(const Bytes& file, const Segments& segments) {
    const auto at = [&](const Elf64_Phdr& each) { return each.p_paddr - segments.front().p_paddr; };
    Bytes bytes(at(segments.back()) + segments.back().p_filesz);
    for (const Elf64_Phdr& each : segments)
        std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(each.p_offset), each.p_filesz,
                    bytes.begin() + static_cast<std::ptrdiff_t>(at(each)));
    const auto last = std::find_if(bytes.rbegin(), bytes.rend(), [](std::uint8_t byte) { return byte != 0; });
    bytes.erase(last.base(), bytes.end());
    return bytes;
}

/// Linux gives it as a physical address.
std::uint64_t entry_of(const Bytes& file, const Segments& segments) {
    const std::uint64_t entry = elf_header(file).e_entry;
    const bool executable = std::ranges::any_of(segments, [&](const Elf64_Phdr& each) {
        return (each.p_flags & PF_X) != 0 && entry >= each.p_paddr && entry - each.p_paddr < each.p_filesz;
    });
    require(executable, "an entry point that is no code");
    return entry - segments.front().p_paddr;
}

} // namespace

FlatKernel flatten(const Bytes& vmlinux) {
    check_header(vmlinux);
    const Segments segments = segments_of(vmlinux);
    FlatKernel kernel;
    kernel.entry = entry_of(vmlinux, segments);
    kernel.memory_size = segments.back().p_paddr + segments.back().p_memsz - segments.front().p_paddr;
    kernel.bytes = laid_out(vmlinux, segments);
    require(kernel.entry < kernel.bytes.size(), "an entry point that is no code");
    return kernel;
}

} // namespace casemate::image
