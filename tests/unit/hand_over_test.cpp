// SPDX-License-Identifier: Apache-2.0
// The hand-over from tboot or GRUB: its information read, memory chosen, and what the SLB would say of the result.
#include <catch2/catch.hpp>

#include "dlaunch/slb/launch_params.hpp"
#include "dlaunch/txt/launch_plan.hpp"

#include <string>
#include <vector>

using namespace casemate;
using namespace casemate::txt;

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Information {
    struct Module {
        std::uint32_t start, end;
        std::string text;
    };
    struct Entry {
        std::uint64_t base, size;
        std::uint32_t type;
    };
    std::vector<Module> modules{{0x4100000, 0x4108000, "slb.bin"}, {0x4200000, 0x4300123, "hypervisor.elf"}, {0x4400000, 0x4400200, "policy.cbor"},
                                {0x5000000, 0x5800001, "vmlinuz quiet"}, {0x6000000, 0x6100000, "net0.img"}};
    std::vector<Entry> entries{{0, 0x9fc00, 1}, {0x9fc00, 0x400, 2}, {0xf0000, 0x10000, 2}, {0x100000, 0x3fecf000, 1}, {0x3ffcf000, 0x31000, 2},
                               {0x100000000, 0x40000000, 1}, {0xfd00000000, 0x300000000, 2}};
    std::uint32_t entry_size = 24, version = 0;

    static void put(Bytes& out, std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    static void tag(Bytes& out, std::uint32_t type, const Bytes& body) {
        put(out, type, 4), put(out, 8 + body.size(), 4);
        out.insert(out.end(), body.begin(), body.end());
        out.resize((out.size() + 7) / 8 * 8);
    }
    [[nodiscard]] Bytes bytes() const {
        Bytes out(8);
        tag(out, 1, {'l', 'o', 'g', 0}); // a tag that is of no use here
        for (const Module& each : modules) {
            Bytes body;
            put(body, each.start, 4), put(body, each.end, 4);
            body.insert(body.end(), each.text.begin(), each.text.end());
            body.push_back(0);
            tag(out, 3, body);
        }
        Bytes map;
        put(map, entry_size, 4), put(map, version, 4);
        for (const Entry& each : entries) {
            put(map, each.base, 8), put(map, each.size, 8), put(map, each.type, 4);
            map.resize(map.size() + entry_size - 20);
        }
        tag(out, 6, map);
        tag(out, 0, {});
        return out;
    }
};

std::string refusal(const Bytes& information) {
    const auto boot = BootInformation::parse(information);
    return boot ? "" : std::string{word_of(boot.error())};
}

struct Planned {
    Bytes information;
    std::vector<launch::MemoryRange> memory = std::vector<launch::MemoryRange>(launch::max_memory_ranges);
    std::string error;
    LaunchPlan plan;
    std::vector<launch::Image> images;

    explicit Planned(const Information& made) : information{made.bytes()} {
        const auto boot = BootInformation::parse(information);
        REQUIRE(boot);
        const auto usable = usable_memory(boot.value(), memory);
        if (!usable) {
            error = word_of(usable.error());
            return;
        }
        memory.resize(usable.value().size());
        const HostRange own[] = {{{0x4000000}, 0xd000}};
        const auto planned = plan_launch(boot.value(), memory, own);
        if (!planned) error = word_of(planned.error());
        else plan = planned.value();
        for (std::size_t i = 0; i < boot.value().module_count; ++i) {
            const BootModule& module = boot.value().modules[i];
            if (!is_image(module)) continue;
            images.push_back({});
            std::copy(module.name.begin(), module.name.end(), images.back().name);
            images.back().bytes = {module.bytes.base.value, module.bytes.size};
        }
    }
};

} // namespace

TEST_CASE("what tboot or GRUB loaded becomes a launch that the SLB takes", "[hand-over]") {
    Information information;
    for (const std::uint32_t version : {0U, 20U}) { // tboot's is no version
        information.version = version;
        const Planned planned{information};
        REQUIRE(planned.error.empty());
        const launch::LaunchParams& params = planned.plan.params;
        CHECK(params.image_count == 2);
        CHECK(std::string{planned.images[0].name} == "vmlinuz");
        CHECK(params.hypervisor.base == 0x4200000);
        CHECK(params.hypervisor.size == 0x100123);
        CHECK(params.tcb.base % large_page_size == 0);
        CHECK(planned.plan.slb.base.value % launch::slb_region_size == 0);
        const slb::PlatformFacts facts{planned.plan.slb, {{0xfed80000}, 0x4000}, {0}, {0}};
        CHECK(slb::check_header(params, facts).ok());
        CHECK(slb::check_contents(params, planned.memory, planned.images, facts).ok());
    }
}

TEST_CASE("usable memory is sorted, merged, whole pages, and without what anything else claims", "[hand-over]") {
    Information information;
    information.entries = {{0x40000000, 0x1000000, 1}, {0x100000, 0x10000000, 1}, {0x10100000, 0x1234, 1}, {0x8000000, 0x1000, 2}, {0x200000, 0x800, 4}};
    const Planned planned{information};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    for (const launch::MemoryRange& each : planned.memory) seen.emplace_back(each.bytes.base, each.bytes.base + each.bytes.size);
    CHECK(seen == std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                      {0x100000, 0x200000}, {0x201000, 0x8000000}, {0x8001000, 0x10101000}, {0x40000000, 0x41000000}});
    information.entries = {{0xffffffffffff0000, 0xffffffffffffffff, 1}, {0, 0xffffffffffffffff, 1}};
    const Planned whole{information};
    REQUIRE(whole.memory.size() == 2);
    CHECK(whole.memory[0].bytes.base == 0x100000);
    CHECK(whole.memory[0].bytes.base + whole.memory[0].bytes.size == 0xfec00000);
    CHECK(whole.memory[1].bytes.base + whole.memory[1].bytes.size == 512ull << 30);
}

TEST_CASE("information that does not fit into its sizes, or lacks something, is refused", "[hand-over]") {
    const Bytes good = Information{}.bytes();
    CHECK(refusal(good).empty());
    for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}).empty());
    const auto bent = [](auto bend) {
        Information information;
        bend(information);
        return refusal(information.bytes());
    };
    CHECK(bent([](Information& i) { i.modules[1].text = "slb.bin again"; }) == "module_name");
    CHECK(bent([](Information& i) { i.modules[1].text = ""; }) == "module_name");
    CHECK(bent([](Information& i) { i.modules[1].text = std::string(32, 'x'); }) == "module_name");
    CHECK(bent([](Information& i) { i.modules[1].end = i.modules[1].start; }) == "information");
    CHECK(bent([](Information& i) { i.entries.clear(); }) == "memory_map");
    CHECK(bent([](Information& i) { i.entry_size = 20; }) == "memory_map");
    CHECK(bent([](Information& i) {
              for (int n = 0; n < 15; ++n) i.modules.push_back({0x100, 0x200, "image" + std::to_string(n)});
          }) == "too_many_modules");
    Bytes unended = good;
    unended[good.size() - 8] = 1; // the end is another tag
    CHECK(refusal(unended) == "information");
    Bytes endless = good;
    endless[12] = 0; // a tag of no size
    CHECK(refusal(endless) == "information");
}

TEST_CASE("a launch without a file or without room is refused", "[hand-over]") {
    Information information;
    information.modules[0].text = "other";
    CHECK(Planned{information}.error == "file_missing");
    information = {};
    information.entries = {{0x100000, 0x3f00000, 1}};
    CHECK(Planned{information}.error == "memory");
    information.entries.clear();
    for (std::uint64_t i = 0; i < 129; ++i) information.entries.push_back({0x1000000 + i * 0x2000, 0x1000, 1});
    CHECK(Planned{information}.error == "memory_ranges");
}
