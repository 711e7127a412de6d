// SPDX-License-Identifier: Apache-2.0
// The launcher's parsers: launch.cfg and the firmware's memory map.
#include "dlaunch/efi/launch_config.hpp"
#include "dlaunch/efi/memory_map.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace casemate;
using namespace casemate::efi;
using launch::MemoryRange;

namespace {

const std::string good = "# Casemate\nslb = slb.bin\r\n\n  hypervisor=hypervisor.elf # the TCB\npolicy\t=\tpolicy.cbor\n"
                         "image = vmlinuz\nimage = net0.img";

ConfigError error_of(const std::string& text) {
    const auto config = LaunchConfig::parse(text);
    REQUIRE_FALSE(config.ok());
    return config.error();
}

constexpr std::size_t descriptor_size = 48; // OVMF's

struct Descriptor {
    std::uint32_t type;
    std::uint64_t start, pages;
};

std::vector<std::uint8_t> raw_map(const std::vector<Descriptor>& descriptors) {
    std::vector<std::uint8_t> bytes(descriptors.size() * descriptor_size);
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
        LittleEndianWriter out{ByteSpan{bytes}.subspan(i * descriptor_size, descriptor_size)};
        out.u32(descriptors[i].type), out.u32(0), out.u64(descriptors[i].start), out.u64(0), out.u64(descriptors[i].pages);
    }
    return bytes;
}

using List = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

List convert(const std::vector<Descriptor>& descriptors) {
    std::array<MemoryRange, launch::max_memory_ranges> out;
    const auto converted = convert_memory_map(raw_map(descriptors), descriptor_size, out);
    REQUIRE(converted.ok());
    List list;
    for (const MemoryRange& range : converted.value()) {
        CHECK(range.kind == launch::MemoryKind::usable);
        list.emplace_back(range.bytes.base, range.bytes.size);
    }
    return list;
}

} // namespace

TEST_CASE("launch.cfg names its files, whatever the blanks, comments and line ends") {
    const auto config = LaunchConfig::parse(good);
    REQUIRE(config.ok());
    CHECK(config.value().slb == "slb.bin");
    CHECK(config.value().hypervisor == "hypervisor.elf");
    CHECK(config.value().policy == "policy.cbor");
    REQUIRE(config.value().image_count == 2);
    CHECK(config.value().images[1] == "net0.img");
}

TEST_CASE("a mistake in launch.cfg is named with its line") {
    CHECK(error_of(good + "\nhello\n").problem == ConfigProblem::no_equals);
    CHECK(error_of(good + "\nhello\n").line == 8);
    CHECK(error_of(good + "\nkernel = x").problem == ConfigProblem::unknown_key);
    CHECK(error_of(good + "\nslb = other.bin").problem == ConfigProblem::key_twice);
    CHECK(error_of("slb =").problem == ConfigProblem::bad_name);
    CHECK(error_of("slb = ../slb.bin").problem == ConfigProblem::bad_name);
    CHECK(error_of("slb = " + std::string(32, 'a')).problem == ConfigProblem::bad_name);
    CHECK(error_of("slb = a\nhypervisor = b\n").problem == ConfigProblem::key_missing);
    CHECK(error_of("").line == 0);
    std::string many = good;
    for (int i = 0; i < 15; ++i) many += "\nimage = x";
    CHECK(error_of(many).problem == ConfigProblem::too_many_images);
}

TEST_CASE("no truncation of launch.cfg is read beyond its end") {
    for (std::size_t size = 0; size <= good.size(); ++size) {
        const std::vector<char> exact(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
        const auto config = LaunchConfig::parse({exact.data(), exact.size()}); // ASan sees a byte too much
        CHECK((config.ok() || config.error().problem != ConfigProblem{}));
    }
}

TEST_CASE("the memory map lists what the operating system may use, sorted, neighbours merged") {
    CHECK(convert({{7, 0x100000, 16}, {4, 0x110000, 16}, {0, 0x120000, 1}, {3, 0x121000, 1}, {9, 0x122000, 1}, {7, 0, 2}}) ==
          List{{0, 0x2000}, {0x100000, 0x20000}, {0x121000, 0x1000}});
}

TEST_CASE("a range that fills a gap joins both its neighbours") {
    CHECK(convert({{7, 0x3000, 1}, {7, 0x1000, 1}, {7, 0x2000, 1}}) == List{{0x1000, 0x3000}});
    CHECK(convert({{7, 0x2000, 1}, {7, 0x1000, 1}}) == List{{0x1000, 0x2000}});
}

TEST_CASE("memory above 512 GiB is cut off") {
    CHECK(convert({{7, (512ull << 30) - 0x1000, 5}, {7, 600ull << 30, 1}}) == List{{(512ull << 30) - 0x1000, 0x1000}});
    CHECK(convert({{7, 0x1000, ~0ull}}) == List{{0x1000, (512ull << 30) - 0x1000}});
}

TEST_CASE("a map with too many pieces, or of a strange form, is refused") {
    std::vector<Descriptor> pieces;
    for (std::uint64_t i = 0; i <= launch::max_memory_ranges; ++i) pieces.push_back({7, i * 0x2000, 1});
    std::array<MemoryRange, launch::max_memory_ranges> out;
    CHECK(convert_memory_map(raw_map(pieces), descriptor_size, out).error() == MapError::too_many);
    pieces.pop_back();
    CHECK(convert_memory_map(raw_map(pieces), descriptor_size, out).ok());
    CHECK(convert_memory_map(raw_map(pieces), 24, out).error() == MapError::descriptor_size);
    CHECK(convert_memory_map(raw_map(pieces), 50, out).error() == MapError::descriptor_size);
}
