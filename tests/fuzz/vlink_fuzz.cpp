// SPDX-License-Identifier: Apache-2.0
// Two guests on a link, both hostile: any register, any byte of their memory, any notification, at any time. Each guest's RAM
// lies between guard bytes, and what is reached there is watched by ASan too; after every input a fresh pair of drivers must
// still get a packet through.
#include "tests/unit/vlink_model.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::vlink;
using namespace casemate::vlink::test;

namespace {

constexpr std::size_t small_ram = 0x1'0000;

/// A guest with little RAM, so that wild addresses often hit.
struct Hostile final : EndHost {
    std::vector<std::uint8_t> ram = std::vector<std::uint8_t>(small_ram);
    mm::GuestMemory memory{ram};
    void post_interrupt(std::uint8_t vector) override {
        if (vector < 16) std::abort();
    }
    void call_service() override {}
    void call_service_soon() override {}
};

/// Rings at fixed places and DRIVER_OK, so that most inputs get as far as the rings.
void start(End& end, std::uint32_t features) {
    const auto set = [&](std::uint64_t at, std::uint64_t value, unsigned width) {
        end.write_memory(at, width, value);
    };
    set(20, 0, 1);
    set(12, features & VirtioNet::offered, 4);
    set(8, 1, 4);
    set(12, 1, 4);
    set(20, 11, 1);
    for (std::uint32_t queue = 0; queue < 2; ++queue) {
        set(22, queue, 2);
        set(24, 16, 2);
        for (std::uint32_t part = 0; part < 3; ++part)
            set(32 + 8 * part, 0x1000 * (queue + 1) + 0x400 * part, 4);
        set(28, 1, 2);
    }
    set(20, 15, 1);
}

void act(Link& link, std::array<Hostile, 2>& guests, std::uint8_t action, std::uint32_t where,
         std::uint64_t value) {
    const unsigned side = action >> 7;
    End& end = link.end(side);
    switch (action % 10) {
    case 0: end.write_memory(where % 0x1000, 1u << (action >> 4 & 3), value); break;
    case 1: (void)end.read_memory(where % 0x1000, 1u << (action >> 4 & 3)); break;
    case 2:
        end.write_config(static_cast<std::uint8_t>(where & 0xfc), 4, static_cast<std::uint32_t>(value));
        break;
    case 3: (void)end.read_config(static_cast<std::uint8_t>(where & 0xfc), 4); break;
    case 4: end.write_port(End::first_port, 2, value & 1); break;
    case 5: end.service(); break;
    case 6: value % 4 == 0 ? end.reset() : start(end, static_cast<std::uint32_t>(value)); break;
    case 7: // descriptors that mostly lie inside
        (void)guests[side].memory.write(GuestPhys{0x1000 + 0x1000 * (where & 1) + (where >> 4 & 15) * 16},
                                        Guest::Descriptor{value & (small_ram - 1),
                                                          static_cast<std::uint32_t>(value >> 20 & 0xfff),
                                                          static_cast<std::uint16_t>(value >> 32 & 7),
                                                          static_cast<std::uint16_t>(value >> 36 & 15)});
        break;
    case 8: { // one more chain
        const std::uint64_t ring = 0x1400 + 0x1000 * (where & 1);
        const auto index = *guests[side].memory.read<std::uint16_t>({ring + 2});
        (void)guests[side].memory.write(GuestPhys{ring + 4 + 2 * (index % 16u)},
                                        static_cast<std::uint16_t>(value & 15));
        (void)guests[side].memory.write(GuestPhys{ring + 2}, static_cast<std::uint16_t>(index + 1));
        end.write_port(End::first_port, 2, where & 1);
        break;
    }
    default: (void)guests[side].memory.write(GuestPhys{where % small_ram}, value); break;
    }
}

/// Whatever happened, a driver that starts afresh at each end gets its packets through.
void require_recovery(Link& link, std::array<Hostile, 2>& guests) {
    for (unsigned side = 0; side < 2; ++side) {
        std::fill(guests[side].ram.begin(), guests[side].ram.end(), std::uint8_t{0});
        start(link.end(side), ~0u);
    }
    const std::uint64_t before = link.status(0).counters.packets;
    (void)guests[1].memory.write(GuestPhys{0x1000}, Guest::Descriptor{0x8000, 2000, Guest::write, 0});
    (void)guests[1].memory.write(GuestPhys{0x1402}, std::uint16_t{1});
    (void)guests[0].memory.write(GuestPhys{0x2000}, Guest::Descriptor{0x8000, 100, 0, 0});
    (void)guests[0].memory.write(GuestPhys{0x2402}, std::uint16_t{1});
    link.end(0).write_port(End::first_port, 2, VirtioNet::transmit);
    if (link.status(0).counters.packets != before + 1 || guests[1].ram[0x1802] != 1) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::array<Hostile, 2> guests;
    for (Hostile& guest : guests) std::fill(guest.ram.begin(), guest.ram.end(), std::uint8_t{0});
    const auto link = std::make_unique<Link>(0, End::Owner{guests[0], guests[0].memory, 0},
                                             End::Owner{guests[1], guests[1].memory, 0});
    for (unsigned side = 0; side < 2; ++side) start(link->end(side), ~0u);
    LittleEndianReader in{{data, size}};
    while (in.remaining() >= 11) {
        const std::uint8_t action = in.u8();
        const std::uint32_t where = in.u16();
        const std::uint64_t value = in.u64();
        // Registers and memory of one guest never change the other's; only deliveries do.
        const unsigned kind = action % 10;
        const bool delivers = kind == 0 || kind == 4 || kind == 5 || kind == 6 || kind == 8;
        const std::vector<std::uint8_t>& other = guests[1 - (action >> 7)].ram;
        const std::vector<std::uint8_t> before = delivers ? std::vector<std::uint8_t>{} : other;
        act(*link, guests, action, where, value);
        if (!delivers && before != other) std::abort();
    }
    require_recovery(*link, guests);
    return 0;
}
