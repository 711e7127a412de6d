// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/elf_size.hpp"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <vector>

namespace casemate::bench {

std::optional<ElfSize> elf_size(ByteView file) {
    Elf64_Ehdr header;
    if (file.size() < sizeof header) return std::nullopt;
    std::memcpy(&header, file.data(), sizeof header);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return std::nullopt;
    const std::uint64_t table = std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
    if (header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shoff > file.size() ||
        table > file.size() - header.e_shoff)
        return std::nullopt;
    ElfSize size;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section;
        std::memcpy(&section, file.data() + header.e_shoff + i * sizeof section, sizeof section);
        if ((section.sh_flags & SHF_ALLOC) == 0) continue;
        if (section.sh_type == SHT_NOBITS) size.bss += section.sh_size;
        else if ((section.sh_flags & SHF_WRITE) == 0 || (section.sh_flags & SHF_EXECINSTR) != 0) size.text += section.sh_size;
        else size.data += section.sh_size;
    }
    return size;
}

std::optional<ElfSize> elf_size(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    return elf_size(ByteView{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

} // namespace casemate::bench
