// SPDX-License-Identifier: Apache-2.0
// Implements elf_needed.hpp.
#include "drivervms/image/elf_needed.hpp"

#include "drivervms/image/elf_file.hpp"
#include "drivervms/image/files.hpp"

#include <set>

namespace casemate::image {
namespace {

std::uint64_t file_offset(const std::vector<Elf64_Phdr>& headers, std::uint64_t address) {
    for (const auto& part : headers)
        if (part.p_type == PT_LOAD && address >= part.p_vaddr && address - part.p_vaddr < part.p_filesz)
            return part.p_offset + (address - part.p_vaddr);
    throw std::runtime_error("ELF address in no segment");
}

std::vector<std::string> needed_names(const Bytes& file, const std::vector<Elf64_Phdr>& headers,
                                      const Elf64_Phdr& dynamic) {
    std::vector<std::uint64_t> names;
    std::uint64_t strings = 0;
    for (std::uint64_t at = 0; at < dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
        const auto entry = structure_at<Elf64_Dyn>(file, dynamic.p_offset + at);
        if (entry.d_tag == DT_NULL) break;
        if (entry.d_tag == DT_NEEDED) names.push_back(entry.d_un.d_val);
        if (entry.d_tag == DT_STRTAB) strings = file_offset(headers, entry.d_un.d_ptr);
    }
    std::vector<std::string> libraries;
    for (const auto name : names) libraries.push_back(string_at(file, strings + name));
    return libraries;
}

std::filesystem::path find_library(const std::string& name) {
    for (const char* directory : {"/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"}) {
        const auto path = std::filesystem::path{directory} / name;
        if (std::filesystem::exists(path)) return path;
    }
    throw std::runtime_error("no library directory has " + name);
}

} // namespace

Needed needed_by(const Bytes& file) {
    const auto headers = program_headers(file);
    Needed needed;
    for (const auto& part : headers) {
        if (part.p_type == PT_INTERP) needed.interpreter = string_at(file, part.p_offset);
        if (part.p_type == PT_DYNAMIC) needed.libraries = needed_names(file, headers, part);
    }
    return needed;
}

std::vector<std::pair<std::string, std::filesystem::path>> libraries_of(const std::filesystem::path& program) {
    std::vector<std::pair<std::string, std::filesystem::path>> found;
    std::set<std::string> seen;
    std::vector<std::filesystem::path> open{program};
    while (!open.empty()) {
        const Needed needed = needed_by(read_file(open.back()));
        open.pop_back();
        if (!needed.interpreter.empty()) {
            found.emplace_back(needed.interpreter, needed.interpreter);
            seen.insert(std::filesystem::path{needed.interpreter}.filename());
        }
        for (const auto& name : needed.libraries) {
            if (!seen.insert(name).second) continue;
            found.emplace_back("/usr/lib/" + name, find_library(name));
            open.push_back(found.back().second);
        }
    }
    return found;
}

} // namespace casemate::image
