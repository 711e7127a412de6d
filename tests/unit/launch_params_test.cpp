// SPDX-License-Identifier: Apache-2.0
// The SLB's checks of what an untrusted launcher hands over.
#include "dlaunch/slb/launch_params.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <functional>
#include <vector>

using namespace casemate;
using namespace casemate::slb;
using launch::Extent;
using launch::Image;
using launch::LaunchParams;
using launch::MemoryKind;
using launch::MemoryRange;

namespace {

constexpr std::uint64_t mib = 1 << 20, gib = 1 << 30;

/// 2 GiB of memory below 4 GiB, 1 GiB above; everything apart.
struct Launch {
    PlatformFacts facts{{{0x7de80000}, 0x10000}, {{0xfed80000}, 0x4000}, {0}, {0}};
    LaunchParams params{};
    std::vector<MemoryRange> map{{{0, 0xa0000}, MemoryKind::usable, 0},
                                 {{mib, 2 * gib - mib}, MemoryKind::usable, 0},
                                 {{4 * gib, gib}, MemoryKind::usable, 0}};
    std::vector<Image> images{{"vmlinuz", {0x50000000, 8 * mib}}, {"net0.img", {4 * gib + mib, 3 * mib}}};

    Launch() {
        params.magic = launch::params_magic;
        params.version = launch::layout_version;
        params.size = sizeof params;
        params.tcb = {0x10000000, 16 * mib};
        params.hypervisor = {0x20000000, 100'001};
        params.policy = {0x21000000, 500};
        params.memory_map = 0x30000000;
        params.memory_range_count = 3;
        params.image_count = 2;
        params.images = 0x30001000;
    }
    bool header_ok() const { return check_header(params, facts).ok(); }
    ParamsError header_error() const { return check_header(params, facts).error(); }
    bool contents_ok() const { return check_contents(params, map, images, facts).ok(); }
    ParamsError contents_error() const {
        const auto checked = check_contents(params, map, images, facts);
        REQUIRE_FALSE(checked.ok());
        return checked.error();
    }
};

ParamsError header_error(const std::function<void(LaunchParams&)>& change) {
    Launch launch;
    change(launch.params);
    REQUIRE_FALSE(launch.header_ok());
    return launch.header_error();
}

ParamsError contents_error(const std::function<void(Launch&)>& change) {
    Launch launch;
    change(launch);
    return launch.contents_error();
}

} // namespace

TEST_CASE("an honest launcher's parameters are accepted") {
    Launch launch;
    CHECK(launch.header_ok());
    CHECK(launch.contents_ok());
    launch.params.image_count = 0;
    launch.images.clear();
    CHECK(launch.header_ok());
    CHECK(launch.contents_ok());
}

TEST_CASE("parameters of another shape are refused") {
    CHECK(header_error([](auto& p) { p.magic ^= 1; }) == ParamsError::header);
    CHECK(header_error([](auto& p) { p.version = 2; }) == ParamsError::header);
    CHECK(header_error([](auto& p) { p.size -= 8; }) == ParamsError::header);
    CHECK(header_error([](auto& p) { p.memory_range_count = 0; }) == ParamsError::header);
    CHECK(header_error([](auto& p) { p.memory_range_count = launch::max_memory_ranges + 1; }) == ParamsError::header);
    CHECK(header_error([](auto& p) { p.image_count = launch::max_images + 1; }) == ParamsError::header);
}

TEST_CASE("the TCB region is aligned, large enough, below 4 GiB and no place for registers") {
    const auto with_tcb = [](Extent tcb) { return header_error([&](auto& p) { p.tcb = tcb; }); };
    CHECK(with_tcb({0x10001000, 16 * mib}) == ParamsError::tcb);
    CHECK(with_tcb({0x10000000, 14 * mib}) == ParamsError::tcb);
    CHECK(with_tcb({0x10000000, 16 * mib + 4096}) == ParamsError::tcb);
    CHECK(with_tcb({0x10000000, 512 * mib}) == ParamsError::tcb);
    CHECK(with_tcb({4 * gib, 16 * mib}) == ParamsError::tcb);
    CHECK(with_tcb({0xfe000000, 16 * mib}) == ParamsError::tcb); // I/O APIC, TPM, IOMMU
    CHECK(with_tcb({0, 16 * mib}) == ParamsError::tcb);          // VGA
    CHECK(with_tcb({~0ull - 2 * mib + 1, 16 * mib}) == ParamsError::tcb);
}

TEST_CASE("files that are too large and arrays outside memory are refused before they are read") {
    CHECK(header_error([](auto& p) { p.hypervisor.size = 8 * mib; }) == ParamsError::file);
    CHECK(header_error([](auto& p) { p.policy.size = 65 * 1024; }) == ParamsError::file);
    CHECK(header_error([](auto& p) { p.memory_map = 0xfed40000; }) == ParamsError::pointer);
    CHECK(header_error([](auto& p) { p.memory_map = ~0ull - 8; }) == ParamsError::pointer);
    CHECK(header_error([](auto& p) { p.images = 0xfed80000; }) == ParamsError::pointer);
    CHECK(header_error([](auto& p) { p.images = 512 * gib; }) == ParamsError::pointer);
}

TEST_CASE("a memory map that lies about its own form is refused") {
    CHECK(contents_error([](auto& l) { std::swap(l.map[0], l.map[1]); }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[0].bytes.size = 2 * mib; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[1].bytes.base += 8; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[1].bytes.size = 0; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[2].bytes.size = ~0ull & ~0xfffull; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[1].kind = MemoryKind{2}; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[1].zero = 1; }) == ParamsError::memory_map);
}

TEST_CASE("registers passed off as memory are refused") {
    const auto with_range = [](Extent extent) {
        return contents_error([&](Launch& l) { l.map.insert(l.map.begin() + 2, {extent, MemoryKind::usable, 0}); });
    };
    CHECK(with_range({0xfed40000, 0x5000}) == ParamsError::memory_map); // TPM
    CHECK(with_range({0xfed80000, 0x4000}) == ParamsError::memory_map); // IOMMU
    CHECK(with_range({0xf0000000, 0x10000000}) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[0].bytes.size = 0xb0000; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.facts.iommu.base = {0x60000000}; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.map[2].bytes.size = 512 * gib; }) == ParamsError::memory_map);
}

TEST_CASE("where the processor says which addresses are memory, it is believed rather than the launcher") {
    CHECK(contents_error([](auto& l) { l.facts.top_of_low_memory = {gib}; }) == ParamsError::memory_map);
    CHECK(contents_error([](auto& l) { l.facts.top_of_high_memory = {4 * gib + mib}; }) == ParamsError::memory_map);
    Launch exact;
    exact.facts.top_of_low_memory = {2 * gib};
    exact.facts.top_of_high_memory = {5 * gib};
    CHECK(exact.contents_ok());
}

TEST_CASE("a reserved range may cover anything, and nothing may lie in it") {
    Launch launch;
    launch.map.insert(launch.map.begin() + 2, {{0xfec00000, 0x1000000}, MemoryKind::reserved, 0});
    CHECK(launch.contents_ok());
    launch.map[1].kind = MemoryKind::reserved;
    CHECK(launch.contents_error() == ParamsError::placement);
}

TEST_CASE("an image has a printable name of its own, padded with NUL") {
    const auto named = [](std::string_view name) {
        return contents_error([&](Launch& l) {
            std::memset(l.images[1].name, 0, sizeof l.images[1].name);
            std::memcpy(l.images[1].name, name.data(), name.size());
        });
    };
    CHECK(named("") == ParamsError::image);
    CHECK(named("a name") == ParamsError::image);
    CHECK(named({"a\0b", 3}) == ParamsError::image);
    CHECK(named("0123456789abcdef0123456789abcdef") == ParamsError::image); // no NUL
    CHECK(named("vmlinuz") == ParamsError::image);                          // twice
}

TEST_CASE("everything lies in one usable range") {
    CHECK(contents_error([](auto& l) { l.params.tcb.base = 3 * gib; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.hypervisor.base = 0xa0000; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.policy = {2 * gib - 100, 200}; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.memory_map = 3 * gib; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.images = 3 * gib; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.images[0].bytes = {0x50000000, ~0ull}; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.images[0].bytes.size = 0; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.hypervisor.size = 0; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.facts.slb.base = {3 * gib}; }) == ParamsError::placement);
}

TEST_CASE("no two things lie in one place, not even by their last byte") {
    CHECK(contents_error([](auto& l) { l.params.hypervisor.base = l.params.tcb.base + 16 * mib - 1; }) ==
          ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.policy.base = l.params.hypervisor.base + 100'000; }) ==
          ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.tcb.base = 0x7de00000; }) == ParamsError::placement); // over the SLB
    CHECK(contents_error([](auto& l) { l.images[0].bytes.base = 0x30000000; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.images[1].bytes = l.images[0].bytes; }) == ParamsError::placement);
    CHECK(contents_error([](auto& l) { l.params.images = l.params.memory_map; }) == ParamsError::placement);
    Launch touching;
    touching.params.hypervisor.base = touching.params.tcb.base + 16 * mib;
    CHECK(touching.contents_ok());
}
