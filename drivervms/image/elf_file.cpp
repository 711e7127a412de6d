// SPDX-License-Identifier: Apache-2.0
// Implements elf_file.hpp.
#include "drivervms/image/elf_file.hpp"

namespace casemate::image {

std::string string_at(const Bytes& file, std::uint64_t offset) {
    std::string text;
    for (char c; (c = structure_at<char>(file, offset + text.size())) != 0;) text.push_back(c);
    return text;
}

Elf64_Ehdr elf_header(const Bytes& file) {
    const auto header = structure_at<Elf64_Ehdr>(file, 0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB)
        throw std::runtime_error("not a little-endian ELF64 file");
    return header;
}

std::vector<Elf64_Phdr> program_headers(const Bytes& file) {
    const auto header = elf_header(file);
    std::vector<Elf64_Phdr> headers;
    for (unsigned i = 0; i < header.e_phnum; ++i)
        headers.push_back(structure_at<Elf64_Phdr>(file, header.e_phoff + i * sizeof(Elf64_Phdr)));
    return headers;
}

} // namespace casemate::image
