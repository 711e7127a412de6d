// SPDX-License-Identifier: Apache-2.0
// See launch_plan.hpp.
#include "dlaunch/txt/launch_plan.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

using launch::Extent;

constexpr std::string_view slb_name = "slb.bin", hypervisor_name = "hypervisor.elf", policy_name = "policy.cbor";
constexpr std::uint64_t four_gib = 1ull << 32;

Extent to_extent(HostRange range) { return {range.base.value, range.size}; }

/// Takes room from the top of low memory down, out of everybody's way.
class Room {
public:
    Room(const BootInformation& boot, std::span<const launch::MemoryRange> memory, std::span<const HostRange> own) : memory_{memory} {
        for (const BootModule& module : std::span{boot.modules}.first(boot.module_count)) add(module.bytes);
        for (const HostRange& each : own) add(each);
    }

    Result<HostRange, HandOverError> take(std::uint64_t size, std::uint64_t alignment) {
        for (std::size_t i = memory_.size(); i-- > 0;) {
            const std::uint64_t base = memory_[i].bytes.base;
            std::uint64_t end = std::min(base + memory_[i].bytes.size, four_gib);
            while (end > base && end - base >= size) {
                const HostRange place{{(end - size) / alignment * alignment}, size};
                if (place.base.value < base) break;
                const auto hit = std::find_if(taken_.begin(), taken_.begin() + count_, [&](const HostRange& each) { return each.overlaps(place); });
                if (hit == taken_.begin() + count_) {
                    add(place);
                    return place;
                }
                end = std::min(end, hit->base.value); // below what is in the way
            }
        }
        return Failure{HandOverError::memory};
    }

private:
    void add(HostRange range) {
        if (range.valid() && count_ < taken_.size()) taken_[count_++] = range;
    }

    std::span<const launch::MemoryRange> memory_;
    std::array<HostRange, max_modules + 8> taken_{};
    std::size_t count_ = 0;
};

Result<HostRange, HandOverError> file(const BootInformation& boot, std::string_view name) {
    const BootModule* module = boot.find(name);
    if (module == nullptr) return Failure{HandOverError::file_missing};
    return module->bytes;
}

} // namespace

bool is_image(const BootModule& module) { return module.name != slb_name && module.name != hypervisor_name && module.name != policy_name; }

Result<LaunchPlan, HandOverError> plan_launch(const BootInformation& boot, std::span<const launch::MemoryRange> memory, std::span<const HostRange> own) {
    LaunchPlan plan;
    Room room{boot, memory, own};
    plan.slb_file = TRY(file(boot, slb_name));
    launch::LaunchParams& params = plan.params;
    params.magic = launch::params_magic;
    params.version = launch::layout_version;
    params.size = sizeof params;
    params.hypervisor = to_extent(TRY(file(boot, hypervisor_name)));
    params.policy = to_extent(TRY(file(boot, policy_name)));
    params.tcb = to_extent(TRY(room.take(tcb_size, large_page_size)));
    plan.slb = TRY(room.take(launch::slb_region_size, launch::slb_region_size));
    plan.memory_map = TRY(room.take(launch::max_memory_ranges * sizeof(launch::MemoryRange), page_size));
    plan.images = TRY(room.take(launch::max_images * sizeof(launch::Image), page_size));
    params.memory_map = plan.memory_map.base.value;
    params.memory_range_count = static_cast<std::uint32_t>(memory.size());
    const auto modules = std::span{boot.modules}.first(boot.module_count);
    params.image_count = static_cast<std::uint32_t>(std::count_if(modules.begin(), modules.end(), is_image));
    params.images = plan.images.base.value;
    if (params.image_count > launch::max_images) return Failure{HandOverError::too_many_modules};
    return plan;
}

} // namespace casemate::txt
