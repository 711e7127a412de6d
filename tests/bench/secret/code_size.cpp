// SPDX-License-Identifier: Apache-2.0
// See code_size.hpp. The files are those of this build; sizes and offsets are checked all the same.
#include "tests/bench/secret/code_size.hpp"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

namespace casemate::bench::secret {
namespace {

template <typename T>
std::optional<T> read_at(ByteView file, std::uint64_t offset) {
    T value;
    if (offset > file.size() || sizeof value > file.size() - offset) return std::nullopt;
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

std::string_view name_at(ByteView file, const Elf64_Shdr& strings, std::uint32_t offset) {
    if (strings.sh_offset > file.size() || strings.sh_size > file.size() - strings.sh_offset || offset >= strings.sh_size) return {};
    const char* const text = reinterpret_cast<const char*>(file.data() + strings.sh_offset + offset);
    return {text, ::strnlen(text, strings.sh_size - offset)};
}

/// The mangled name [Itanium C++ ABI 5.1] has the namespaces with their lengths.
const char* part_of(std::string_view name) {
    if (name.find("8casemate6policy") != name.npos) return "policy";
    if (name.find("8casemate4cose") != name.npos) return "envelope";
    return name.starts_with("br_") ? "cryptography" : nullptr;
}

void add_symbols(ByteView file, const Elf64_Shdr& symbols, const Elf64_Shdr& strings, CodeSize& size) {
    for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols.sh_size; at += sizeof(Elf64_Sym)) {
        const auto symbol = read_at<Elf64_Sym>(file, symbols.sh_offset + at);
        if (!symbol) return;
        const unsigned type = ELF64_ST_TYPE(symbol->st_info);
        if (type != STT_FUNC && type != STT_OBJECT) continue;
        if (const char* const part = part_of(name_at(file, strings, symbol->st_name))) size[part] += symbol->st_size;
        size["all"] += symbol->st_size;
    }
}

} // namespace

CodeSize code_size(ByteView file) {
    CodeSize size;
    const auto header = read_at<Elf64_Ehdr>(file, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) return size;
    const auto section = [&](std::uint32_t index) { return read_at<Elf64_Shdr>(file, header->e_shoff + std::uint64_t{index} * sizeof(Elf64_Shdr)); };
    for (std::uint32_t i = 0; i < header->e_shnum; ++i) {
        const auto symbols = section(i);
        if (!symbols || symbols->sh_type != SHT_SYMTAB || symbols->sh_link >= header->e_shnum) continue;
        if (const auto strings = section(symbols->sh_link)) add_symbols(file, *symbols, *strings, size);
    }
    return size;
}

CodeSize code_size(const std::filesystem::path& elf) {
    std::ifstream in{elf, std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    return code_size(ByteView{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

} // namespace casemate::bench::secret
