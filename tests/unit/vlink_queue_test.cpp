// SPDX-License-Identifier: Apache-2.0
// One virtqueue against a hostile or a good driver: every refusal by its own reason, both ways of suppression, both wraps.
#include "tests/unit/vlink_model.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::vlink;
using namespace casemate::vlink::test;

namespace {

/// A queue of 8 in a guest's RAM, used directly.
struct Fixture {
    using Descriptor = Guest::Descriptor;
    static constexpr std::uint64_t table = 0x1'0000, far_table = 0x8'0000, buffer = 0x10'0000;

    Guest guest;
    Virtqueue queue;
    Pieces pieces;

    explicit Fixture(Virtqueue::Options options = {Direction::device_reads, true, true}) {
        guest.ring(0) = {.at = table, .size = 8};
        guest.features = options.event_idx ? feature::event_idx : 0;
        REQUIRE(queue.enable(guest.memory(), rings(), options).ok());
    }
    static Virtqueue::Rings rings() { return {8, {table}, {table + 0x1000}, {table + 0x2000}}; }

    void chain(std::initializer_list<Descriptor> list, std::uint64_t at = table) {
        std::uint16_t index = 0;
        for (const Descriptor& descriptor : list) guest.describe(at, index++, descriptor);
    }
    QueueError refusal() {
        guest.offer(0, 0);
        const auto taken = queue.take(pieces);
        REQUIRE(pieces.all().empty());
        REQUIRE(pieces.bytes() == 0);
        return taken.ok() ? QueueError::none : taken.error();
    }
    /// Offers a chain of one piece, takes it and puts it back as used.
    void turn() {
        chain({{buffer, 64, 0, 0}});
        guest.offer(0, 0);
        pieces.clear();
        const auto taken = queue.take(pieces);
        REQUIRE(taken.ok());
        REQUIRE(taken.value());
        queue.put(taken.value()->head, 0);
    }
};

} // namespace

TEST_CASE("a chain arrives piece by piece and in order", "[vlink]") {
    Fixture f;
    f.chain({{Fixture::buffer, 12, Guest::next, 2}, {}, {Fixture::buffer + 0x1000, 1500, 0, 7}});
    f.guest.offer(0, 0);
    const auto taken = f.queue.take(f.pieces);
    REQUIRE(taken.ok());
    REQUIRE(taken.value());
    CHECK(taken.value()->head == 0);
    CHECK(taken.value()->bytes == 1512);
    REQUIRE(f.pieces.all().size() == 2);
    CHECK(f.pieces.all()[0].data() == f.guest.memory().bytes({Fixture::buffer}, 1).data());
    CHECK(f.pieces.all()[1].size() == 1500);
    CHECK_FALSE(f.queue.take(f.pieces).value());
}

TEST_CASE("an indirect table may follow direct pieces", "[vlink]") {
    Fixture f;
    f.chain({{Fixture::buffer, 12, Guest::next, 1}, {Fixture::far_table, 32, Guest::indirect, 0}});
    f.chain({{Fixture::buffer, 100, Guest::next, 1}, {Fixture::buffer, 200, 0, 0}}, Fixture::far_table);
    f.guest.offer(0, 0);
    CHECK(f.queue.take(f.pieces).value()->bytes == 312);
    CHECK(f.pieces.all().size() == 3);
}

TEST_CASE("each fault of a chain is refused by its own reason and leaves no piece behind", "[vlink]") {
    using enum QueueError;
    Fixture f;
    const std::uint64_t end = Guest::ram_size;
    SECTION("no fault") {
        f.chain({{end - 16, 16, 0, 0}});
        f.guest.offer(0, 0);
        CHECK(f.queue.take(f.pieces).ok());
    }
    SECTION("avail runs ahead") {
        f.guest.ring(0).avail = 8;
        CHECK(f.refusal() == avail_runs_ahead);
    }
    SECTION("head outside") {
        f.guest.offer(0, 8);
        CHECK(f.queue.take(f.pieces).error() == head_outside);
    }
    SECTION("next outside") {
        f.chain({{Fixture::buffer, 16, Guest::next, 8}});
        CHECK(f.refusal() == next_outside);
    }
    SECTION("a loop") {
        f.chain({{Fixture::buffer, 16, Guest::next, 1}, {Fixture::buffer, 16, Guest::next, 0}});
        CHECK(f.refusal() == chain_too_long);
    }
    SECTION("buffer behind the RAM") {
        f.chain({{end - 16, 17, 0, 0}});
        CHECK(f.refusal() == buffer_outside);
    }
    SECTION("buffer whose end wraps") {
        f.chain({{~0ull - 8, 16, 0, 0}});
        CHECK(f.refusal() == buffer_outside);
    }
    SECTION("empty buffer") {
        f.chain({{Fixture::buffer, 0, 0, 0}});
        CHECK(f.refusal() == buffer_outside);
    }
    SECTION("second piece outside") {
        f.chain({{Fixture::buffer, 16, Guest::next, 1}, {end, 16, 0, 0}});
        CHECK(f.refusal() == buffer_outside);
    }
    SECTION("writable where the device reads") {
        f.chain({{Fixture::buffer, 16, Guest::write, 0}});
        CHECK(f.refusal() == wrong_direction);
    }
    SECTION("indirect and next") {
        f.chain({{Fixture::far_table, 16, Guest::indirect | Guest::next, 1}});
        CHECK(f.refusal() == indirect_and_next);
    }
    SECTION("indirect in an indirect table") {
        f.chain({{Fixture::far_table, 16, Guest::indirect, 0}});
        f.chain({{Fixture::far_table, 16, Guest::indirect, 0}}, Fixture::far_table);
        CHECK(f.refusal() == indirect_nested);
    }
    SECTION("indirect tables of wrong size or place") {
        const auto [at, bytes] = GENERATE(table<std::uint64_t, std::uint32_t>({{Fixture::far_table, 0},
                                                                               {Fixture::far_table, 17},
                                                                               {Fixture::far_table, 16 * 257},
                                                                               {Guest::ram_size - 16, 32},
                                                                               {~0ull - 15, 32}}));
        f.chain({{at, bytes, Guest::indirect, 0}});
        CHECK(f.refusal() == indirect_table);
    }
    SECTION("next behind the indirect table") {
        f.chain({{Fixture::far_table, 32, Guest::indirect, 0}});
        f.chain({{Fixture::buffer, 16, Guest::next, 2}}, Fixture::far_table);
        CHECK(f.refusal() == next_outside);
    }
    SECTION("more pieces than a list holds") {
        f.chain({{Fixture::buffer, 16, Guest::next, 1}, {Fixture::far_table, 16 * 256, Guest::indirect, 0}});
        for (std::uint16_t i = 0; i < 256; ++i)
            f.guest.describe(Fixture::far_table, i,
                             {Fixture::buffer, 16, static_cast<std::uint16_t>(i < 255 ? Guest::next : 0),
                              static_cast<std::uint16_t>(i + 1)});
        CHECK(f.refusal() == too_many_pieces);
    }
}

TEST_CASE("what was not negotiated and what points the wrong way is refused", "[vlink]") {
    Fixture f{{Direction::device_writes, false, false}};
    f.chain({{Fixture::far_table, 16, Guest::indirect, 0}});
    CHECK(f.refusal() == QueueError::indirect_not_negotiated);
    f.chain({{Fixture::buffer, 16, 0, 0}});
    CHECK(f.queue.take(f.pieces).error() == QueueError::wrong_direction);
}

TEST_CASE("rings are refused by size, alignment and place", "[vlink]") {
    Fixture f;
    const auto error = [&](auto change) {
        Virtqueue::Rings rings = Fixture::rings();
        change(rings);
        const auto status = f.queue.enable(f.guest.memory(), rings, {});
        return status.ok() ? QueueError::none : status.error();
    };
    CHECK(error([](auto&) {}) == QueueError::none);
    CHECK(error([](auto& r) { r.size = 0; }) == QueueError::size);
    CHECK(error([](auto& r) { r.size = 12; }) == QueueError::size);
    CHECK(error([](auto& r) { r.size = 512; }) == QueueError::size);
    CHECK(error([](auto& r) { r.descriptors.value += 8; }) == QueueError::misaligned);
    CHECK(error([](auto& r) { r.driver.value += 1; }) == QueueError::misaligned);
    CHECK(error([](auto& r) { r.device.value += 2; }) == QueueError::misaligned);
    CHECK(error([](auto& r) { r.descriptors.value = Guest::ram_size - 8 * 16; }) == QueueError::none);
    CHECK(error([](auto& r) { r.descriptors.value = Guest::ram_size - 7 * 16; }) == QueueError::ring_outside);
    CHECK(error([](auto& r) { r.driver.value = Guest::ram_size - 20; }) == QueueError::ring_outside);
    CHECK(error([](auto& r) { r.device.value = ~0ull - 3; }) == QueueError::ring_outside);
}

TEST_CASE("a queue goes on past index 65535", "[vlink]") {
    Fixture f;
    for (unsigned i = 0; i < 70'000; ++i) {
        f.turn();
        (void)f.queue.publish();
    }
    CHECK(f.guest.used_index(0) == 70'000 % 65'536);
    CHECK_FALSE(f.queue.take(f.pieces).value());
}

TEST_CASE("with event indexes an interrupt comes when the driver's index is passed, across the wrap too",
          "[vlink]") {
    Fixture f;
    const std::uint16_t start = GENERATE(std::uint16_t{0}, std::uint16_t{65'533});
    while (f.guest.used_index(0) != start) {
        f.turn();
        (void)f.queue.publish();
    }
    f.guest.set_used_event(0, static_cast<std::uint16_t>(start + 2));
    std::vector<bool> wanted;
    for (unsigned i = 0; i < 5; ++i) {
        f.turn();
        wanted.push_back(f.queue.publish());
    }
    CHECK(wanted == std::vector<bool>{false, false, true, false, false});
    CHECK_FALSE(f.queue.publish()); // nothing new
}

TEST_CASE("with event indexes the driver notifies only when it was asked to", "[vlink]") {
    Fixture f;
    for (unsigned i = 0; i < 3; ++i) f.turn();
    CHECK_FALSE(f.queue.take(f.pieces).value());
    CHECK_FALSE(f.queue.start_notifications());
    CHECK(f.guest.avail_event(0) == 3);
    f.guest.offer(0, 0);
    CHECK(f.guest.must_notify(0, 3));
    f.guest.offer(0, 0);
    CHECK_FALSE(f.guest.must_notify(0, 4)); // the device is at work and did not ask again
}

TEST_CASE("without event indexes the flags say so", "[vlink]") {
    Fixture f{{Direction::device_reads, true, false}};
    f.queue.stop_notifications();
    CHECK_FALSE(f.guest.must_notify(0, 0));
    CHECK_FALSE(f.queue.start_notifications());
    CHECK(f.guest.must_notify(0, 0));
    f.turn();
    CHECK(f.queue.publish());
    f.guest.poke<std::uint16_t>(f.guest.ring(0).driver(), 1); // VIRTQ_AVAIL_F_NO_INTERRUPT
    f.turn();
    CHECK_FALSE(f.queue.publish());
}

TEST_CASE("a chain offered just before notifications start is not forgotten", "[vlink]") {
    const bool event_idx = GENERATE(true, false);
    Fixture f{{Direction::device_reads, true, event_idx}};
    CHECK_FALSE(f.queue.take(f.pieces).value());
    f.guest.offer(0, 0);
    CHECK(f.queue.start_notifications());
}

TEST_CASE("chains that were given back come again", "[vlink]") {
    Fixture f;
    f.chain({{Fixture::buffer, 10, 0, 0}, {Fixture::buffer, 20, 0, 0}});
    f.guest.offer(0, 0);
    f.guest.offer(0, 1);
    (void)f.queue.take(f.pieces);
    CHECK(f.queue.take(f.pieces).value()->head == 1);
    f.queue.give_back(2);
    CHECK(f.queue.take(f.pieces).value()->head == 0);
}
