// SPDX-License-Identifier: Apache-2.0
// Two guests and the link between them: what arrives, what is dropped and why, who waits, who is interrupted, and that no
// fault of one end reaches the other.
#include "tests/unit/vlink_model.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::vlink;
using namespace casemate::vlink::test;

namespace {

constexpr NetHeader plain{};
constexpr NetHeader tcp_unit{.flags = 1,
                             .gso_type = 1,
                             .hdr_len = 54,
                             .gso_size = 1448,
                             .csum_start = 34,
                             .csum_offset = 16,
                             .num_buffers = 0};
constexpr NetHeader sums_only{1, 0, 0, 0, 0, 0, 0};
constexpr std::uint64_t no_event = VirtioNet::offered & ~feature::event_idx;

std::uint64_t drops(Pair& pair, Drop reason) {
    return pair.link->status(0).counters.drops[static_cast<std::size_t>(reason)];
}

std::uint32_t config(End& end, std::uint8_t offset, unsigned width = 4) {
    return end.read_config(offset, width);
}

} // namespace

TEST_CASE("an end shows itself as a modern virtio-net function", "[vlink]") {
    Pair pair;
    End& end = pair.link->end(0);
    CHECK(config(end, 0) == 0x1041'1AF4);
    CHECK(config(end, 8) == 0x020000'01);
    CHECK((config(end, 4) >> 16 & 0x10) != 0);
    CHECK(config(end, 0x10) == 0xd0100000);
    CHECK(config(end, 0x14) == 0xc041);
    end.write_config(0x10, 4, ~0u);
    CHECK(config(end, 0x10) == 0xfffff000);
    end.write_config(4, 2, 0xffff);
    CHECK(config(end, 4, 2) == 0x407);
    std::vector<std::uint32_t> kinds;
    unsigned at = config(end, 0x34, 1);
    for (; at != 0; at = config(end, static_cast<std::uint8_t>(at + 1), 1)) {
        REQUIRE(kinds.size() < 8);
        const auto id = config(end, static_cast<std::uint8_t>(at), 1);
        kinds.push_back(id == 9 ? config(end, static_cast<std::uint8_t>(at + 3), 1) : id);
    }
    CHECK(kinds == std::vector<std::uint32_t>{0x11, 1, 3, 4, 2});
    CHECK(config(end, 0x42, 2) == 2);     // three messages
    CHECK(config(end, 0x7c + 4, 1) == 1); // notifications by BAR 1
    CHECK(config(end, 0x7c + 16) == 0);   // one port for all queues
    CHECK(config(end, 0x7c, 1) == 9);
}

TEST_CASE("each end has a place and an address of its own", "[vlink]") {
    Guest left, right;
    Link link{5, {left, left.memory(), 2}, {right, right.memory(), 0}};
    devices::PciBus pci;
    devices::IoBus bus;
    CHECK(link.end(0).attach(pci, bus));
    CHECK(bus.memory.find(0xd0102000)->device == &link.end(0));
    CHECK(bus.ports.find(0xc060)->device == &link.end(0));
    CHECK_FALSE(link.end(0).attach(pci, bus));
    left.connect(link.end(0));
    right.connect(link.end(1));
    CHECK(left.get(0x200) == 0x005eca02);
    CHECK(left.get(0x204, 2) == 0x0005);
    CHECK(right.get(0x204, 2) == 0x0105);
    CHECK(left.get(0x20a, 2) == 9000);
}

TEST_CASE("features are agreed once, and none that was not offered", "[vlink]") {
    Pair pair;
    Guest& guest = pair.left;
    guest.set(0, 0);
    const std::uint32_t low = guest.get(4);
    guest.set(0, 1);
    CHECK((std::uint64_t{guest.get(4)} << 32 | low) == VirtioNet::offered);
    guest.set(0, 2);
    CHECK(guest.get(4) == 0);
    guest.negotiate(VirtioNet::offered | feature::bit(17)); // control queue
    CHECK((guest.status() & 8) == 0);
    guest.negotiate(VirtioNet::offered & ~feature::version_1);
    CHECK((guest.status() & 8) == 0);
    guest.set(20, 4, 1); // DRIVER_OK before FEATURES_OK
    CHECK((guest.status() & 4) == 0);
    guest.negotiate(feature::version_1);
    CHECK((guest.status() & 8) != 0);
    guest.set(8, 0);
    guest.set(12, ~0u);
    CHECK(guest.get(12) == 0); // too late
    CHECK(guest.end().net().features() == feature::version_1);
}

TEST_CASE("queue registers read back, and hold still once the queue is enabled", "[vlink]") {
    Pair pair;
    Guest& guest = pair.left;
    guest.set(22, 2, 2);
    CHECK(guest.get(24, 2) == 0); // no third queue
    guest.start();
    guest.set(22, 1, 2);
    CHECK(guest.get(24, 2) == 256);
    CHECK(guest.get(28, 2) == 1);
    CHECK(guest.get(32) == 0x20000);
    guest.set(32, 0x5000);
    guest.set(24, 64, 2);
    CHECK(guest.get(32) == 0x20000);
    CHECK(guest.get(24, 2) == 256);
    guest.set(26, 3, 2);
    CHECK(guest.get(26, 2) == Messages::none);
    guest.set(20, 0, 1);
    CHECK(guest.get(28, 2) == 0);
    CHECK(guest.status() == 0);
}

TEST_CASE("a packet arrives whole, whatever its pieces", "[vlink]") {
    const auto [piece, by_table, features] =
        GENERATE(table<std::size_t, bool, std::uint64_t>({{4096, true, VirtioNet::offered},
                                                          {4096, false, VirtioNet::offered},
                                                          {7, true, VirtioNet::offered},
                                                          {100, false, no_event},
                                                          {1, true, no_event}}));
    Pair pair;
    pair.start(features, features);
    pair.right.offer_buffers(16, 1536);
    const Bytes frame = pattern(200);
    pair.left.send(plain, frame, piece, by_table);
    const auto packet = pair.right.receive();
    REQUIRE(packet);
    CHECK(packet->frame == frame);
    CHECK(packet->header.num_buffers == 1);
    CHECK(pair.right.interrupts[Guest::receive_vector] == 1);
    CHECK(pair.left.take_used(VirtioNet::transmit)->len == 0);
    CHECK(pair.link->status(0).counters.packets == 1);
    CHECK(pair.link->status(0).counters.bytes == 200);
}

TEST_CASE("a TCP unit of 64 KiB fills as many buffers as it needs", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(64, 1536);
    const Bytes frame = pattern(65'000);
    pair.left.send(tcp_unit, frame, 4096);
    const auto packet = pair.right.receive();
    REQUIRE(packet);
    CHECK(packet->frame == frame);
    CHECK(packet->header.num_buffers == (65'000 + 12 + 1535) / 1536);
    CHECK(packet->header.gso_type == 1);
    CHECK(packet->header.gso_size == 1448);
    CHECK(packet->header.hdr_len == 54);
    CHECK(packet->header.flags == 1);
    CHECK(packet->header.csum_start == 34);
    CHECK(packet->header.csum_offset == 16);
    CHECK(pair.right.interrupts[Guest::receive_vector] == 1);
}

TEST_CASE("buffers of several pieces and smaller than the header are filled in order", "[vlink]") {
    Pair pair;
    pair.start();
    Guest::Ring& ring = pair.right.ring(VirtioNet::receive);
    for (std::uint16_t i = 0; i < 60; i = static_cast<std::uint16_t>(i + 2)) {
        pair.right.describe(
            ring.at, i,
            {pair.right.room(3), 3, Guest::write | Guest::next, static_cast<std::uint16_t>(i + 1)});
        pair.right.describe(ring.at, static_cast<std::uint16_t>(i + 1),
                            {pair.right.room(5), 5, Guest::write, 0});
        pair.right.offer(VirtioNet::receive, i);
    }
    const Bytes frame = pattern(100);
    pair.left.send(plain, frame);
    Bytes got;
    std::uint32_t written = 0;
    while (const auto used = pair.right.take_used(VirtioNet::receive)) {
        for (std::uint16_t i = 0; i < 2; ++i) {
            const auto piece = pair.right.peek<Guest::Descriptor>(ring.at + 16u * (used->id + i));
            const Bytes part = pair.right.bytes(piece.addr, piece.len);
            got.insert(got.end(), part.begin(), part.end());
        }
        written += used->len;
    }
    CHECK(written == 112);
    CHECK(got[10] == 14); // num_buffers
    CHECK(std::equal(frame.begin(), frame.end(), got.begin() + 12));
}

TEST_CASE("packets that the receiver could not stand are dropped by reason and harm nobody", "[vlink]") {
    struct Case {
        NetHeader header;
        std::size_t bytes;
        std::uint64_t sender, receiver;
        Drop reason;
    };
    constexpr std::uint64_t all = VirtioNet::offered;
    const auto changed = [](auto change) {
        NetHeader header = tcp_unit;
        change(header);
        return header;
    };
    const Case cases[] = {
        {plain, 13, all, all, Drop::frame_size},
        {plain, 9019, all, all, Drop::frame_size},
        {tcp_unit, 65'554, all, all, Drop::frame_size},
        {changed([](auto& h) { h.csum_start = 190, h.csum_offset = 9; }), 200, all, all, Drop::checksum},
        {changed([](auto& h) { h.csum_start = 0xffff, h.csum_offset = 0xffff; }), 200, all, all,
         Drop::checksum},
        {sums_only, 200, all & ~feature::csum, all, Drop::checksum},
        {sums_only, 200, all, all & ~feature::guest_csum, Drop::checksum},
        {tcp_unit, 200, all, all & ~feature::guest_tso4, Drop::segmentation},
        {tcp_unit, 200, all & ~feature::host_tso4, all, Drop::segmentation},
        {changed([](auto& h) { h.gso_type = 4; }), 200, all, all & ~feature::guest_tso6, Drop::segmentation},
        {changed([](auto& h) { h.gso_type = 0x81; }), 200, all, all & ~feature::guest_ecn,
         Drop::segmentation},
        {changed([](auto& h) { h.gso_type = 3; }), 200, all, all, Drop::segmentation},
        {changed([](auto& h) { h.gso_type = 0x80; }), 200, all, all, Drop::segmentation},
        {changed([](auto& h) { h.gso_size = 0; }), 200, all, all, Drop::segmentation},
        {changed([](auto& h) { h.hdr_len = 201; }), 200, all, all, Drop::segmentation},
        {changed([](auto& h) { h.flags = 0; }), 200, all, all, Drop::segmentation},
        {plain, 2000, all, all & ~feature::mrg_rxbuf, Drop::no_room},
    };
    for (const Case& one : cases) {
        CAPTURE(&one - cases);
        Pair pair;
        pair.start(one.sender, one.receiver);
        pair.right.offer_buffers(64, 1536);
        pair.left.send(one.header, pattern(one.bytes));
        CHECK(drops(pair, one.reason) == 1);
        CHECK_FALSE(pair.right.receive());
        CHECK(pair.left.take_used(VirtioNet::transmit)); // taken all the same
        pair.left.send(plain, pattern(60));
        CHECK(pair.right.receive()->frame == pattern(60));
    }
}

TEST_CASE("the longest packets pass", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(64, 1536);
    pair.left.send(plain, pattern(9018));
    CHECK(pair.right.receive()->frame.size() == 9018);
    pair.left.send(tcp_unit, pattern(65'553), 4096);
    CHECK(pair.right.receive()->frame.size() == 65'553);
}

TEST_CASE("of a header nothing goes on but what was looked at", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(4, 1536);
    pair.left.send({.flags = 0xfe,
                    .gso_type = 0,
                    .hdr_len = 9,
                    .gso_size = 9,
                    .csum_start = 9,
                    .csum_offset = 9,
                    .num_buffers = 77},
                   pattern(60));
    const auto packet = pair.right.receive();
    CHECK(packet->header.flags == 0);
    CHECK(packet->header.hdr_len == 0);
    CHECK(packet->header.gso_size == 0);
    CHECK(packet->header.csum_start == 0);
    CHECK(packet->header.csum_offset == 0);
    CHECK(packet->header.num_buffers == 1);
}

TEST_CASE("without buffers packets wait at the sender, in order, and go on when buffers come", "[vlink]") {
    const std::uint64_t features = GENERATE(VirtioNet::offered, no_event);
    Pair pair;
    pair.start(features, features);
    for (std::uint8_t i = 0; i < 5; ++i) pair.left.send(plain, pattern(100, i));
    CHECK_FALSE(pair.left.take_used(VirtioNet::transmit));
    CHECK(pair.link->status(0).counters.notifications == 1); // the others found the link waiting
    pair.right.offer_buffers(3, 1536);
    CHECK(pair.right.must_notify(VirtioNet::receive, 0));
    pair.right.notify(VirtioNet::receive);
    for (std::uint8_t i = 0; i < 3; ++i) CHECK(pair.right.receive()->frame == pattern(100, i));
    CHECK_FALSE(pair.right.receive());
    const std::uint16_t before = pair.right.ring(VirtioNet::receive).avail;
    pair.right.offer_buffers(1, 1536);
    CHECK(pair.right.must_notify(VirtioNet::receive, before));
    pair.right.notify(VirtioNet::receive);
    CHECK(pair.right.receive()->frame == pattern(100, 3));
    pair.right.offer_buffers(8, 1536);
    pair.right.notify(VirtioNet::receive);
    CHECK(pair.right.receive()->frame == pattern(100, 4));
    CHECK(pair.link->status(0).counters.packets == 5);
    // Nothing waits any more: buffers alone are no news, the next packet is.
    const std::uint16_t idle = pair.right.ring(VirtioNet::receive).avail;
    pair.right.offer_buffers(1, 1536);
    if (features == VirtioNet::offered) CHECK_FALSE(pair.right.must_notify(VirtioNet::receive, idle));
    pair.left.send(plain, pattern(100, 9));
    CHECK(pair.right.receive()->frame == pattern(100, 9));
}

TEST_CASE("a packet that needs more buffers than there are waits and takes none of them", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(2, 1536);
    pair.left.send(tcp_unit, pattern(8000));
    CHECK(pair.right.used_index(VirtioNet::receive) == 0);
    pair.right.offer_buffers(4, 1536);
    pair.right.notify(VirtioNet::receive);
    CHECK(pair.right.receive()->frame == pattern(8000));
}

TEST_CASE("a packet larger than the whole ring of buffers is dropped, not waited for", "[vlink]") {
    Pair pair;
    pair.left.start();
    pair.right.start(VirtioNet::offered, 4);
    pair.right.offer_buffers(4, 1536);
    pair.left.send(tcp_unit, pattern(8000));
    CHECK(drops(pair, Drop::no_room) == 1);
    pair.left.send(tcp_unit, pattern(6000));
    CHECK(pair.right.receive()->frame == pattern(6000));
}

TEST_CASE("a packet for buffers too finely cut is dropped", "[vlink]") {
    Pair pair;
    pair.start();
    Guest& guest = pair.right;
    const std::uint64_t table = guest.room(16 * 200);
    for (std::uint16_t i = 0; i < 200; ++i)
        guest.describe(table, i,
                       {guest.room(1), 1,
                        static_cast<std::uint16_t>(Guest::write | (i < 199 ? Guest::next : 0)),
                        static_cast<std::uint16_t>(i + 1)});
    for (std::uint16_t i = 0; i < 4; ++i) {
        guest.describe(guest.ring(0).at, i, {table, 16 * 200, Guest::indirect, 0});
        guest.offer(VirtioNet::receive, i);
    }
    pair.left.send(plain, pattern(500));
    CHECK(drops(pair, Drop::no_room) == 1);
    CHECK(guest.used_index(VirtioNet::receive) == 0);
    CHECK((guest.status() & 64) == 0);
    pair.left.send(plain, pattern(100));
    CHECK(guest.used_index(VirtioNet::receive) == 1);
}

TEST_CASE("interrupts come only when the driver wants them", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(32, 1536);
    for (unsigned i = 0; i < 10; ++i) pair.left.send(plain, pattern(60)); // used_event stays 0: polling
    CHECK(pair.right.interrupts[Guest::receive_vector] == 1);
    pair.right.set_used_event(VirtioNet::receive, 10);
    pair.left.send(plain, pattern(60));
    CHECK(pair.right.interrupts[Guest::receive_vector] == 2);
    pair.left.set_used_event(VirtioNet::transmit, 13);
    for (unsigned i = 0; i < 4; ++i) pair.left.send(plain, pattern(60));
    CHECK(pair.left.interrupts[Guest::transmit_vector] == 2); // the first packet, and index 13
}

TEST_CASE("a call moves its budget and the sender's core goes on with the rest", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(256, 4096);
    for (unsigned i = 0; i < 12; ++i) pair.left.queue_packet(tcp_unit, pattern(65'000), 65'536, true);
    pair.left.notify(VirtioNet::transmit);
    CHECK(pair.link->status(0).counters.packets == Link::byte_budget / 65'000 + 1);
    CHECK(pair.left.service_calls == 1);
    CHECK(pair.link->end(0).has_work());
    CHECK_FALSE(pair.left.must_notify(VirtioNet::transmit, 12));
    pair.link->end(0).service();
    CHECK(pair.link->status(0).counters.packets == 12);
    pair.link->end(0).service();
    CHECK_FALSE(pair.link->end(0).has_work());
    CHECK(pair.left.service_calls == 1);
}

TEST_CASE("a sender that goes on sending notifies once, and again when it has slept", "[vlink]") {
    const std::uint64_t features = GENERATE(VirtioNet::offered, no_event);
    Pair pair;
    pair.start(features, features);
    pair.right.offer_buffers(64, 1536);
    const auto queue_one = [&](std::uint8_t seed) {
        const std::uint16_t before = pair.left.ring(VirtioNet::transmit).avail;
        pair.left.queue_packet(plain, pattern(60, seed), 4096, true);
        if (pair.left.must_notify(VirtioNet::transmit, before)) pair.left.notify(VirtioNet::transmit);
    };
    for (std::uint8_t i = 0; i < 10; ++i) queue_one(i);
    CHECK(pair.link->status(0).counters.notifications == 1);
    CHECK(pair.link->status(0).counters.packets == 1);
    pair.left.sleep();
    CHECK(pair.link->status(0).counters.packets == 10);
    for (std::uint8_t i = 0; i < 10; ++i) CHECK(pair.right.receive()->frame == pattern(60, i));
    CHECK_FALSE(pair.link->end(0).has_work());
    queue_one(10);
    CHECK(pair.link->status(0).counters.notifications == 2);
    CHECK(pair.right.receive()->frame == pattern(60, 10));
}

TEST_CASE("a driver that moves its index all the time holds the hypervisor for a budget only", "[vlink]") {
    Pair pair;
    pair.left.start();
    for (unsigned i = 0; i < 256; ++i) pair.left.queue_packet(plain, pattern(60), 4096, true);
    pair.right.start();
    pair.right.offer_buffers(256, 128);
    pair.left.notify(VirtioNet::transmit);
    CHECK(pair.link->status(0).counters.packets == Link::packet_budget);
}

TEST_CASE("each end sees whether the other's driver runs", "[vlink]") {
    Pair pair;
    pair.left.start();
    CHECK_FALSE(pair.left.link_up());
    pair.right.start();
    CHECK(pair.left.link_up());
    CHECK(pair.right.link_up());
    CHECK(pair.left.interrupts[Guest::config_vector] == 1);
    CHECK((pair.left.get(0x100, 1) & 2) != 0);
    CHECK(pair.left.get(0x100, 1) == 0); // reading cleared it
    const std::uint32_t generation = pair.left.get(21, 1);
    pair.link->end(1).reset(); // its VM has stopped
    CHECK_FALSE(pair.left.link_up());
    CHECK(pair.left.interrupts[Guest::config_vector] == 2);
    CHECK(pair.left.get(21, 1) != generation);
    pair.right.start();
    CHECK(pair.left.link_up());
    pair.right.set(20, 128, 1); // FAILED
    CHECK_FALSE(pair.left.link_up());
}

TEST_CASE("when an end vanishes its memory is left alone and what waits for it is dropped", "[vlink]") {
    Pair pair;
    pair.start();
    for (unsigned i = 0; i < 3; ++i) pair.left.send(plain, pattern(100));
    pair.right.offer_buffers(8, 1536);
    pair.link->end(1).reset();
    const Bytes before = pair.right.bytes(0, Guest::ram_size);
    CHECK(pair.link->end(0).has_work());
    pair.link->end(0).service();
    CHECK(drops(pair, Drop::receiver_down) == 3);
    for (unsigned i = 0; i < 3; ++i) CHECK(pair.left.take_used(VirtioNet::transmit));
    pair.left.send(plain, pattern(100));
    CHECK(drops(pair, Drop::receiver_down) == 4);
    pair.right.notify(VirtioNet::receive);
    CHECK(pair.right.bytes(0, Guest::ram_size) == before);
    pair.right.start();
    pair.right.offer_buffers(8, 1536);
    pair.left.send(plain, pattern(77));
    CHECK(pair.right.receive()->frame == pattern(77));
}

TEST_CASE("a driver that resets in the middle starts afresh", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(8, 1536);
    pair.left.queue_packet(plain, pattern(100), 4096, true);
    pair.left.start(); // the packet was never notified and its ring is gone
    pair.left.send(plain, pattern(200));
    CHECK(pair.right.receive()->frame == pattern(200));
    CHECK_FALSE(pair.right.receive());
    CHECK(pair.link->status(0).counters.packets == 1);
}

TEST_CASE("a broken queue stops its own end only, until that driver resets it", "[vlink]") {
    Pair pair;
    pair.start();
    pair.right.offer_buffers(8, 1536);
    pair.left.describe(pair.left.ring(VirtioNet::transmit).at, 0, {Guest::ram_size, 100, 0, 0});
    SECTION("of the sender") {
        pair.left.offer(VirtioNet::transmit, 0);
        pair.left.notify(VirtioNet::transmit);
        CHECK((pair.left.status() & 64) != 0);
        CHECK(pair.link->end(0).net().error() == QueueError::buffer_outside);
        CHECK(pair.left.interrupts[Guest::config_vector] == 1);
        CHECK((pair.right.status() & 64) == 0);
        CHECK_FALSE(pair.right.link_up());
        CHECK_FALSE(pair.right.receive());
        pair.left.start();
        pair.left.send(plain, pattern(100));
        CHECK(pair.right.receive());
    }
    SECTION("of the receiver") {
        pair.right.describe(pair.right.ring(VirtioNet::receive).at, 0,
                            {Guest::ram_size, 100, Guest::write, 0});
        pair.left.send(plain, pattern(100));
        CHECK((pair.right.status() & 64) != 0);
        CHECK((pair.left.status() & 64) == 0);
        CHECK_FALSE(pair.left.link_up());
        CHECK(drops(pair, Drop::receiver_down) == 1);
        CHECK(pair.left.take_used(VirtioNet::transmit));
    }
    SECTION("at its start") {
        pair.right.start(VirtioNet::offered, 3);
        CHECK((pair.right.status() & 64) != 0);
        CHECK(pair.link->end(1).net().error() == QueueError::size);
    }
}

TEST_CASE("a message goes to the VM's own processor or nowhere, and waits while masked", "[vlink]") {
    Guest guest;
    Messages messages{guest};
    messages.reset();
    const auto entry = [&](std::uint32_t address, std::uint32_t data, std::uint32_t upper = 0) {
        const std::uint32_t words[] = {address, upper, data, 0};
        for (std::size_t i = 0; i < 4; ++i) messages.write(i, words[i]);
        messages.raise(0);
        return guest.interrupts[static_cast<std::uint8_t>(data)]-- != 0 ? true
                                                                        : (guest.interrupts.clear(), false);
    };
    CHECK_FALSE(entry(0xFEE00000, 0x50)); // not enabled yet
    messages.write_control(0x8000);
    CHECK(entry(0xFEE00000, 0x50));
    CHECK(entry(0xFEE01004, 0x50)); // logical, processor 0 among them
    CHECK(entry(0xFEEFF000, 0x50)); // everybody
    CHECK_FALSE(entry(0xFEE01000, 0x50));
    CHECK_FALSE(entry(0xFEE02004, 0x50));
    CHECK_FALSE(entry(0xFEC00000, 0x50));
    CHECK_FALSE(entry(0xFEE00000, 0x50, 1));
    CHECK_FALSE(entry(0xFEE00000, 0x450));  // NMI
    CHECK_FALSE(entry(0xFEE00000, 0x8050)); // level
    CHECK_FALSE(entry(0xFEE00000, 0x0f));
    guest.interrupts.clear();
    messages.write(0, 0xFEE00000), messages.write(1, 0), messages.write(2, 0x60), messages.write(3, 1);
    messages.raise(0);
    CHECK(messages.pending() == 1);
    CHECK(guest.interrupts.empty());
    messages.write(3, 0);
    CHECK(messages.pending() == 0);
    CHECK(guest.interrupts[0x60] == 1);
    messages.write_control(0xC000); // function mask
    messages.raise(0);
    CHECK(guest.interrupts[0x60] == 1);
    messages.write_control(0x8000);
    CHECK(guest.interrupts[0x60] == 2);
    messages.raise(Messages::none);
    CHECK(messages.control() == 0x8002);
}
