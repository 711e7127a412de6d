// SPDX-License-Identifier: Apache-2.0
// See boot_information.hpp.
#include "dlaunch/txt/boot_information.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

constexpr std::uint32_t tag_end = 0, tag_module = 3, tag_memory_map = 6; // [MULTIBOOT2 3.6]
constexpr std::size_t tag_head = 8;

/// What lies before the first `mark`; all of it when there is none. (Freestanding code has no find(): that may throw.)
std::string_view before(std::string_view text, char mark) {
    std::size_t size = 0;
    while (size < text.size() && text[size] != mark) ++size;
    return {text.data(), size};
}

Status<HandOverError> read_module(ByteView body, BootInformation& boot) {
    LittleEndianReader in{body};
    const std::uint64_t start = in.u32();
    const std::uint64_t end = in.u32();
    if (!in.ok() || end <= start) return Failure{HandOverError::information};
    // SAFETY: char may alias; the string ends within the tag.
    const std::string_view text{reinterpret_cast<const char*>(body.data()) + 8, body.size() - 8};
    const std::string_view line = before(text, '\0');
    const std::string_view name = before(line, ' ');
    if (line.size() == text.size()) return Failure{HandOverError::information};
    if (name.empty() || name.size() >= launch::image_name_size || boot.find(name) != nullptr) return Failure{HandOverError::module_name};
    if (boot.module_count == max_modules) return Failure{HandOverError::too_many_modules};
    boot.modules[boot.module_count++] = {name, {{start}, end - start}};
    return Done{};
}

Status<HandOverError> read_memory_map(ByteView body, BootInformation& boot) {
    LittleEndianReader in{body};
    boot.entry_size = in.u32();
    in.u32(); // version: 0 from GRUB, the old entries' size from tboot; entries only ever grow at their end
    if (!in.ok() || boot.entry_size < 24 || boot.entry_size > 256) return Failure{HandOverError::memory_map};
    boot.memory_map = body.subspan(8);
    if (boot.memory_map.size() % boot.entry_size != 0) return Failure{HandOverError::memory_map};
    return Done{};
}

} // namespace

std::string_view word_of(HandOverError error) {
    constexpr std::string_view words[] = {"",     "not_multiboot2", "information", "memory_map", "module_name", "too_many_modules",
                                          "file_missing", "slb", "memory", "memory_ranges"};
    return words[static_cast<std::size_t>(error)];
}

const BootModule* BootInformation::find(std::string_view name) const {
    for (const BootModule& each : std::span{modules}.first(module_count))
        if (each.name == name) return &each;
    return nullptr;
}

Result<BootInformation, HandOverError> BootInformation::parse(ByteView information) {
    BootInformation boot;
    ByteView rest = information.size() < tag_head ? ByteView{} : information.subspan(tag_head);
    for (;;) {
        LittleEndianReader head{rest};
        const std::uint32_t type = head.u32();
        const std::uint32_t size = head.u32();
        if (!head.ok() || size < tag_head || size > rest.size()) return Failure{HandOverError::information};
        const ByteView body = rest.first(size).subspan(tag_head);
        if (type == tag_end) break;
        if (type == tag_module) TRY(read_module(body, boot));
        if (type == tag_memory_map) TRY(read_memory_map(body, boot));
        const std::size_t aligned = (std::size_t{size} + 7) / 8 * 8;
        if (aligned > rest.size()) return Failure{HandOverError::information};
        rest = rest.subspan(aligned);
    }
    if (boot.memory_map.empty()) return Failure{HandOverError::memory_map};
    return boot;
}

} // namespace casemate::txt
