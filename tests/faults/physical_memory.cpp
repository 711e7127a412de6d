// SPDX-License-Identifier: Apache-2.0
// Implements physical_memory.hpp.
#include "tests/faults/physical_memory.hpp"

#include <cstring>
#include <fstream>

namespace casemate::faults {

Standstill::Standstill(session::Session& session) : session_{session} { (void)session_.platform().monitor("stop", nlohmann::json::object()); }
Standstill::~Standstill() { (void)session_.platform().monitor("cont", nlohmann::json::object()); }

std::optional<PhysicalMemory> PhysicalMemory::read(session::Session& session, std::uint64_t bytes) {
    constexpr std::uint64_t part = 128 << 20;
    std::string memory(bytes, '\0');
    const std::filesystem::path file = session.directory() / "memory.part";
    for (std::uint64_t at = 0; at < bytes; at += part) {
        const std::uint64_t size = std::min(part, bytes - at);
        const auto done = session.platform().monitor("pmemsave", {{"val", at}, {"size", size}, {"filename", file.string()}});
        if (!done.ok()) return std::nullopt;
        std::ifstream in{file, std::ios::binary};
        in.read(memory.data() + at, static_cast<std::streamsize>(size));
        if (!in) return std::nullopt;
        std::filesystem::remove(file);
    }
    return PhysicalMemory{std::move(memory)};
}

std::set<std::uint64_t> PhysicalMemory::find(std::string_view text) const {
    std::set<std::uint64_t> found;
    const char* const start = bytes_.data();
    const char* const end = start + bytes_.size();
    for (const char* at = start;; ++at) {
        at = static_cast<const char*>(memmem(at, static_cast<std::size_t>(end - at), text.data(), text.size()));
        if (at == nullptr) return found;
        found.insert(static_cast<std::uint64_t>(at - start));
    }
}

} // namespace casemate::faults
