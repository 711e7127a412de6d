// SPDX-License-Identifier: Apache-2.0
// Accepted parameters never name the SLB, the IOMMU or each other's memory. Input: LaunchParams, ranges, images.
#include "dlaunch/slb/launch_params.hpp"
#include "hypervisor/base/bytes.hpp"

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace casemate;
using namespace casemate::slb;

namespace {

template <typename T>
std::vector<T> take(ByteView& input, std::size_t count) {
    std::vector<T> items(count);
    for (T& item : items) {
        if (input.size() < sizeof item) return {};
        std::memcpy(&item, input.data(), sizeof item);
        input = input.subspan(sizeof item);
    }
    return items;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input{data, size};
    const auto header = take<launch::LaunchParams>(input, 1);
    if (header.empty()) return 0;
    launch::LaunchParams params = header.front();
    params.magic = launch::params_magic;
    params.version = launch::layout_version;
    params.size = sizeof params;
    const PlatformFacts facts{{{0x7de80000}, 0x10000}, {{0xfed80000}, 0x4000}, {}, {}};
    if (!check_header(params, facts).ok()) return 0;
    const auto map = take<launch::MemoryRange>(input, params.memory_range_count);
    const auto images = take<launch::Image>(input, params.image_count);
    if (map.size() != params.memory_range_count || images.size() != params.image_count) return 0;
    if (!check_contents(params, map, images, facts).ok()) return 0;
    const HostRange tcb = to_range(params.tcb);
    if (tcb.overlaps(facts.slb) || tcb.overlaps(facts.iommu) || tcb.overlaps(to_range(params.policy))) std::abort();
    for (const launch::Image& image : images) {
        const HostRange bytes = to_range(image.bytes);
        if (!bytes.valid() || bytes.overlaps(tcb) || bytes.overlaps(facts.slb)) std::abort();
        if (image.name[launch::image_name_size - 1] != '\0') std::abort();
    }
    return 0;
}
