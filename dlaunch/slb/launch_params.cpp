// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/launch_params.hpp"

#include "dlaunch/slb/tcb_layout.hpp"

#include <algorithm>
#include <array>

namespace casemate::slb {

using launch::Extent;
using launch::Image;
using launch::LaunchParams;
using launch::MemoryKind;
using launch::MemoryRange;

namespace {

constexpr HostPhys four_gib{1ull << 32};

/// Never memory that anybody may be given: VGA and option ROMs; I/O APIC, HPET, TPM, local APIC and flash.
constexpr std::array<HostRange, 2> platform_registers{{
    {{0xa0000}, 0x60000},
    {{0xfec00000}, 0x1400000},
}};

/// Not empty, no overflow, inside what we map and outside of registers.
bool plausible(HostRange range, const PlatformFacts& facts) {
    if (!range.valid() || range.end() > highest_memory) return false;
    const auto hit = [&](HostRange registers) { return range.overlaps(registers); };
    return std::ranges::none_of(platform_registers, hit) && !hit(facts.iommu);
}

/// The processor routes an address to memory only below TOP_MEM, or between 4 GiB and TOP_MEM2 [APM2 7.9.5].
bool routed_to_memory(HostRange range, const PlatformFacts& facts) {
    const HostPhys top = range.base < four_gib ? facts.top_of_low_memory : facts.top_of_high_memory;
    return top.value == 0 || range.end() <= top;
}

HostRange memory_map_array(const LaunchParams& params) {
    return {{params.memory_map}, params.memory_range_count * sizeof(MemoryRange)};
}

HostRange image_array(const LaunchParams& params) { return {{params.images}, params.image_count * sizeof(Image)}; }

bool good_range(const MemoryRange& range, const PlatformFacts& facts) {
    const HostRange bytes = to_range(range.bytes);
    if (!bytes.valid() || range.zero != 0) return false;
    if (bytes.base.value % page_size != 0 || bytes.size % page_size != 0) return false;
    if (range.kind == MemoryKind::reserved) return true;
    return range.kind == MemoryKind::usable && plausible(bytes, facts) && routed_to_memory(bytes, facts);
}

bool good_map(std::span<const MemoryRange> map, const PlatformFacts& facts) {
    HostPhys end{0};
    for (const MemoryRange& range : map) {
        if (!good_range(range, facts) || range.bytes.base < end.value) return false;
        end = to_range(range.bytes).end();
    }
    return true;
}

/// 1 to 31 characters of a file name, then only NUL.
bool good_name(const char (&name)[launch::image_name_size]) {
    const auto* const end = std::find(std::begin(name), std::end(name), '\0');
    if (end == std::begin(name) || end == std::end(name)) return false;
    const bool printable = std::all_of(std::begin(name), end, [](char c) { return c > ' ' && c <= '~'; });
    return printable && std::all_of(end, std::end(name), [](char c) { return c == '\0'; });
}

bool good_images(std::span<const Image> images) {
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (!good_name(images[i].name)) return false;
        for (std::size_t j = 0; j < i; ++j)
            if (std::ranges::equal(images[i].name, images[j].name)) return false;
    }
    return true;
}

/// The places that must be usable memory and disjoint.
class Places {
public:
    void add(HostRange range) { ranges_[count_++] = range; }

    [[nodiscard]] bool good(std::span<const MemoryRange> map) const {
        for (std::size_t i = 0; i < count_; ++i) {
            if (!ranges_[i].valid() || !usable(ranges_[i], map)) return false;
            for (std::size_t j = 0; j < i; ++j)
                if (ranges_[i].overlaps(ranges_[j])) return false;
        }
        return true;
    }

private:
    static bool usable(HostRange range, std::span<const MemoryRange> map) {
        return std::ranges::any_of(map, [&](const MemoryRange& entry) {
            return entry.kind == MemoryKind::usable && to_range(entry.bytes).contains(range);
        });
    }

    std::array<HostRange, launch::max_images + 6> ranges_{};
    std::size_t count_ = 0;
};

} // namespace

Status<ParamsError> check_header(const LaunchParams& params, const PlatformFacts& facts) {
    if (params.magic != launch::params_magic || params.version != launch::layout_version ||
        params.size != sizeof(LaunchParams))
        return Failure{ParamsError::header};
    if (params.memory_range_count == 0 || params.memory_range_count > launch::max_memory_ranges ||
        params.image_count > launch::max_images)
        return Failure{ParamsError::header};
    const HostRange tcb = to_range(params.tcb);
    if (!plausible(tcb, facts) || tcb.end() > four_gib || tcb.base.value % large_page_size != 0 ||
        tcb.size % large_page_size != 0 || tcb.size < min_tcb_size || tcb.size > max_tcb_size)
        return Failure{ParamsError::tcb};
    if (params.hypervisor.size > max_hypervisor_file || params.policy.size > max_policy_file)
        return Failure{ParamsError::file};
    if (!plausible(memory_map_array(params), facts)) return Failure{ParamsError::pointer};
    if (params.image_count != 0 && !plausible(image_array(params), facts)) return Failure{ParamsError::pointer};
    return Done{};
}

Status<ParamsError> check_contents(const LaunchParams& params, std::span<const MemoryRange> map,
                                   std::span<const Image> images, const PlatformFacts& facts) {
    if (!good_map(map, facts)) return Failure{ParamsError::memory_map};
    if (!good_images(images)) return Failure{ParamsError::image};
    Places places;
    places.add(facts.slb);
    places.add(to_range(params.tcb));
    places.add(to_range(params.hypervisor));
    places.add(to_range(params.policy));
    places.add(memory_map_array(params));
    if (!images.empty()) places.add(image_array(params));
    for (const Image& image : images) places.add(to_range(image.bytes));
    if (!places.good(map)) return Failure{ParamsError::placement};
    return Done{};
}

} // namespace casemate::slb
