// SPDX-License-Identifier: Apache-2.0
// launch.cfg and the firmware's memory map: accepted names fit, accepted maps are sorted and merged.
#include "dlaunch/efi/launch_config.hpp"
#include "dlaunch/efi/memory_map.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::efi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = LaunchConfig::parse({reinterpret_cast<const char*>(data), size});
    if (config.ok()) {
        if (config.value().slb.empty() || config.value().policy.size() >= launch::image_name_size) std::abort();
    } else if (describe(config.error().problem) == "unknown problem") {
        std::abort();
    }
    std::array<launch::MemoryRange, 16> out;
    const auto map = convert_memory_map({data, size / 40 * 40}, 40, out);
    if (!map.ok()) return 0;
    std::uint64_t end = 0;
    for (const launch::MemoryRange& range : map.value()) {
        if (range.bytes.size == 0 || range.bytes.base < end) return 0; // overlapping input stays overlapping: the SLB refuses it
        end = range.bytes.base + range.bytes.size;
        if (end > 512ull << 30) std::abort();
    }
    return 0;
}
