// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/cbor_reader.hpp"
#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/base/rt/memory_loops.hpp"
#include "tests/unit/cbor_walk.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>

using casemate::ByteView;
using casemate::CborReader;
using casemate::CborWriter;
using casemate::test::from_hex;
using casemate::test::to_hex;

namespace {

bool accepts_any_item(const std::vector<std::uint8_t>& bytes) {
    CborReader in{bytes};
    casemate::test::read_any(in);
    return in.finished();
}

bool accepts(std::string_view hex) { return accepts_any_item(from_hex(hex)); }

/// {0: 1, 1: "net0", 2: h'0102', 3: [true, -1], -1: 18(7)}
constexpr std::string_view sample = "a5 00 01 01 64 6e657430 02 42 0102 03 82 f5 20 20 d2 07";

void read_sample(CborReader& in) {
    in.expect_map(5);
    in.expect_key(0);
    CHECK(in.u64() == 1);
    in.expect_key(1);
    CHECK(in.text(15) == "net0");
    in.expect_key(2);
    CHECK(to_hex(in.bytes_exactly(2)) == "0102");
    in.expect_key(3);
    in.expect_array(2);
    CHECK(in.boolean());
    CHECK(in.integer() == -1);
    in.expect_key(-1);
    in.expect_tag(18);
    CHECK(in.u64() == 7);
}

} // namespace

TEST_CASE("integers of RFC 8949 appendix A read and write as printed there", "[cbor]") {
    const auto [value, hex] = GENERATE(table<std::int64_t, const char*>({
        {0, "00"}, {1, "01"}, {10, "0a"}, {23, "17"}, {24, "1818"}, {25, "1819"}, {100, "1864"},
        {1000, "1903e8"}, {1000000, "1a000f4240"}, {1000000000000, "1b000000e8d4a51000"},
        {-1, "20"}, {-10, "29"}, {-100, "3863"}, {-1000, "3903e7"}, {-65537, "3a00010000"},
        {INT64_MAX, "1b7fffffffffffffff"}, {INT64_MIN, "3b7fffffffffffffff"},
    }));
    const auto bytes = from_hex(hex);
    CborReader in{bytes};
    CHECK(in.integer() == value);
    CHECK(in.finished());
    std::uint8_t buffer[9];
    CborWriter out{buffer};
    out.integer(value);
    CHECK(to_hex(out.written()) == hex);
}

TEST_CASE("a fixed map reads field by field", "[cbor]") {
    const auto bytes = from_hex(sample);
    CborReader in{bytes};
    read_sample(in);
    CHECK(in.finished());
}

TEST_CASE("the writer makes the bytes that the reader accepts", "[cbor]") {
    std::uint8_t buffer[64];
    CborWriter out{buffer};
    out.map(5);
    out.key(0), out.u64(1);
    out.key(1), out.text("net0");
    out.key(2), out.bytes(from_hex("0102"));
    out.key(3), out.array(2), out.boolean(true), out.integer(-1);
    out.key(-1), out.tag(18), out.u64(7);
    CHECK(out.ok());
    CHECK(to_hex(out.written()) == to_hex(from_hex(sample)));
}

TEST_CASE("every truncation and every trailing byte is refused", "[cbor]") {
    auto bytes = from_hex(sample);
    REQUIRE(accepts_any_item(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(accepts_any_item({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}));
    }
    bytes.push_back(0);
    CHECK_FALSE(accepts_any_item(bytes));
}

TEST_CASE("encodings that are not the deterministic one are refused", "[cbor]") {
    CHECK_FALSE(accepts("1817"));               // 23 in two bytes
    CHECK_FALSE(accepts("1900ff"));             // 255 in three
    CHECK_FALSE(accepts("1a0000ffff"));         // 65535 in five
    CHECK_FALSE(accepts("1b00000000ffffffff")); // 2^32 - 1 in nine
    CHECK_FALSE(accepts("580100"));             // byte string with a long head
    CHECK_FALSE(accepts("1c"));                 // reserved
    CHECK_FALSE(accepts("5f4100ff"));           // indefinite byte string
    CHECK_FALSE(accepts("9fff"));               // indefinite array
    CHECK_FALSE(accepts("bfff"));               // indefinite map
    CHECK_FALSE(accepts("f97e00"));             // half-precision float
    CHECK_FALSE(accepts("fa47c35000"));         // float
    CHECK_FALSE(accepts("f6"));                 // null
    CHECK_FALSE(accepts("f820"));               // simple value 32
    CHECK_FALSE(accepts("a2 01 00 00 00"));     // keys fall
    CHECK_FALSE(accepts("a2 00 00 00 00"));     // key twice
    CHECK_FALSE(accepts("a2 20 00 00 00"));     // negative key before positive
    CHECK_FALSE(accepts("a1 61 61 00"));        // text key
    CHECK_FALSE(accepts("61 0a"));              // control character in text
    CHECK_FALSE(accepts("61 ff"));              // not ASCII
    CHECK_FALSE(accepts("00 00"));              // two items
    CHECK(accepts("a3 00 00 17 00 20 00"));
    CHECK(accepts("80"));
    CHECK(accepts("a0"));
}

TEST_CASE("nesting is bounded and hostile counts cost nothing", "[cbor]") {
    CHECK(accepts("81 81 81 81 81 81 81 81 00"));
    CHECK_FALSE(accepts("81 81 81 81 81 81 81 81 81 00"));
    CHECK_FALSE(accepts("d2 d2 d2 d2 d2 d2 d2 d2 d2 00"));
    CHECK_FALSE(accepts("9b ffffffffffffffff 00"));
    CHECK_FALSE(accepts("5b ffffffffffffffff 00"));
    CHECK_FALSE(accepts("bb 8000000000000000 00 00"));
}

TEST_CASE("a failure is sticky and yields empty values", "[cbor]") {
    const auto bytes = from_hex("82 00 01");
    CborReader in{bytes};
    in.expect_array(2);
    CHECK(in.text(8).empty());
    CHECK_FALSE(in.ok());
    CHECK(in.u64() == 0);
    CHECK_FALSE(in.finished());
}

TEST_CASE("misuse of the structure is refused", "[cbor]") {
    SECTION("a value where a key is due") {
        const auto bytes = from_hex("a1 00 01");
        CborReader in{bytes};
        in.expect_map(1);
        in.u64();
        CHECK_FALSE(in.ok());
    }
    SECTION("a key where a value is due") {
        const auto bytes = from_hex("a1 00 01");
        CborReader in{bytes};
        in.expect_map(1);
        in.key();
        in.key();
        CHECK_FALSE(in.ok());
    }
    SECTION("a container left open") {
        const auto bytes = from_hex("82 00 01");
        CborReader in{bytes};
        in.expect_array(2);
        in.u64();
        CHECK_FALSE(in.finished());
    }
    SECTION("a limit exceeded") {
        const auto bytes = from_hex("43 010203");
        CborReader in{bytes};
        CHECK(in.bytes(2).empty());
        CHECK_FALSE(in.ok());
    }
}

TEST_CASE("a nested item of any kind is read through and leaves its neighbours", "[cbor]") {
    const auto bytes = from_hex("83 82 00 a1 00 80 43 010203 f4");
    CborReader in{bytes};
    in.expect_array(3);
    CborReader by_name = in;
    by_name.expect_array(2);
    CHECK(by_name.u64() == 0);
    by_name.expect_map(1);
    by_name.expect_key(0);
    by_name.expect_array(0);
    CHECK(to_hex(by_name.bytes(3)) == "010203"); // what was read so lies where what is read as any item does
    casemate::test::read_any(in);
    CHECK(to_hex(in.bytes(3)) == "010203");
    CHECK_FALSE(in.boolean());
    CHECK(in.finished());
}

TEST_CASE("the writer refuses to write past its buffer", "[cbor]") {
    std::uint8_t buffer[4] = {};
    CborWriter out{{buffer, 3}};
    out.bytes(from_hex("010203"));
    CHECK_FALSE(out.ok());
    CHECK(buffer[3] == 0);
}

TEST_CASE("the runtime's memory loops equal the C library's at every size and offset", "[rt]") {
    std::uint8_t source[80], ours[80], theirs[80];
    for (std::size_t i = 0; i < sizeof(source); ++i) source[i] = static_cast<std::uint8_t>(i * 37 + 11);
    for (std::size_t size = 0; size <= 40; ++size) {
        for (std::size_t to = 0; to < 24; ++to) {
            const std::size_t from = (to * 7 + size) % 24;
            std::memcpy(ours, source, sizeof(ours));
            std::memcpy(theirs, source, sizeof(theirs));
            if (to <= from) casemate::rt::copy_forward(ours + to, ours + from, size);
            else casemate::rt::copy_backward(ours + to, ours + from, size);
            std::memmove(theirs + to, theirs + from, size);
            casemate::rt::fill(ours + 70, static_cast<std::uint8_t>(size), to % 10);
            std::memset(theirs + 70, static_cast<int>(size), to % 10);
            REQUIRE(std::equal(ours, ours + sizeof(ours), theirs));
        }
    }
    CHECK(casemate::rt::compare(source, source, 80) == 0);
    std::memcpy(ours, source, sizeof(ours));
    ours[9] = static_cast<std::uint8_t>(ours[9] + 1);
    CHECK(casemate::rt::compare(source, ours, 80) < 0);
    CHECK(casemate::rt::compare(ours, source, 80) > 0);
}
