// SPDX-License-Identifier: Apache-2.0
// What a boot loader hands over: reading stays inside it, memory is sorted and disjoint, and no two places of a plan overlap.
#include "dlaunch/txt/launch_plan.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::txt;

namespace {

bool inside(std::string_view part, ByteView whole) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(part.data());
    return begin >= whole.data() && begin + part.size() <= whole.data() + whole.size();
}

void check_memory(std::span<const launch::MemoryRange> memory) {
    std::uint64_t end = 0;
    for (const launch::MemoryRange& each : memory) {
        if (each.bytes.size == 0 || each.bytes.base < end || each.bytes.base % page_size != 0 || each.bytes.size % page_size != 0) std::abort();
        end = each.bytes.base + each.bytes.size;
    }
}

void check_plan(const LaunchPlan& plan, std::span<const launch::MemoryRange> memory) {
    const HostRange places[] = {{{plan.params.tcb.base}, plan.params.tcb.size}, plan.slb, plan.memory_map, plan.images};
    for (const HostRange& each : places) {
        bool usable = false;
        for (const launch::MemoryRange& range : memory) usable = usable || HostRange{{range.bytes.base}, range.bytes.size}.contains(each);
        if (!usable) std::abort();
        for (const HostRange& other : places)
            if (&other != &each && other.overlaps(each)) std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView information{data, size};
    const auto boot = BootInformation::parse(information);
    if (!boot) return 0;
    for (std::size_t i = 0; i < boot.value().module_count; ++i)
        if (!inside(boot.value().modules[i].name, information)) std::abort();
    std::array<launch::MemoryRange, launch::max_memory_ranges> room;
    const auto memory = usable_memory(boot.value(), room);
    if (!memory) return 0;
    check_memory(memory.value());
    const auto plan = plan_launch(boot.value(), memory.value(), {});
    if (plan) check_plan(plan.value(), memory.value());
    return 0;
}
