// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/measure/event_log.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace casemate;
using namespace casemate::measure;
using casemate::test::from_hex;
using casemate::test::to_hex;

namespace {

Banks two_banks() {
    Banks banks;
    REQUIRE((banks.add(TPM_ALG_ID::SHA1) && banks.add(TPM_ALG_ID::SHA256)));
    return banks;
}

// Header for sha1 and sha256, then one event in PCR 17 with data "abc" and the digests of "abc".
constexpr std::string_view golden =
    "00000000 03000000 0000000000000000000000000000000000000000 25000000"
    "53706563204944204576656e74303300 00000000 00 02 00 02 02000000 0400 1400 0b00 2000 00"
    "11000000 06000000 02000000"
    "0400 a9993e364706816aba3e25717850c26c9cd0d89d"
    "0b00 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    "03000000 616263";

std::vector<std::uint8_t> written_log() {
    std::vector<std::uint8_t> buffer(512);
    auto writer = EventLogWriter::create(buffer, two_banks());
    REQUIRE(writer.ok());
    const auto abc = from_hex("616263");
    REQUIRE(writer.value().append(17, hash_all(two_banks(), abc), abc).ok());
    buffer.resize(writer.value().log().size());
    return buffer;
}

/// The error of reading the whole log; 0 when it reads.
int read_error(ByteView log) {
    auto reader = EventLogReader::open(log);
    if (!reader.ok()) return static_cast<int>(reader.error());
    while (!reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) return static_cast<int>(event.error());
    }
    return 0;
}

int number(EventLogError error) { return static_cast<int>(error); }

} // namespace

TEST_CASE("the writer makes the bytes of the TCG format", "[event_log]") {
    CHECK(to_hex(written_log()) == to_hex(from_hex(golden)));
}

TEST_CASE("the reader gives back what was written", "[event_log]") {
    const auto log = from_hex(golden);
    auto reader = EventLogReader::open(log);
    REQUIRE(reader.ok());
    CHECK(reader.value().banks() == two_banks());
    const auto event = reader.value().next();
    REQUIRE(event.ok());
    CHECK(event.value().pcr == 17);
    CHECK(event.value().type == EV_EVENT_TAG);
    CHECK(to_hex(event.value().data) == "616263");
    CHECK(*event.value().digests.find(TPM_ALG_ID::SHA1) == hash(TPM_ALG_ID::SHA1, from_hex("616263")));
    CHECK(reader.value().at_end());
}

TEST_CASE("every truncation is refused except at the end of a record", "[event_log]") {
    const auto log = from_hex(golden);
    const std::size_t header = 32 + 37;
    for (std::size_t size = 0; size < log.size(); ++size) {
        CAPTURE(size);
        if (size == header) continue;
        const int expected = number(size < header ? EventLogError::header : EventLogError::truncated);
        REQUIRE(read_error(ByteView{log}.first(size)) == expected);
    }
    CHECK(read_error(log) == 0);
}

TEST_CASE("any flipped bit of the header is refused, except in the choice of banks", "[event_log]") {
    auto log = from_hex(golden);
    for (std::size_t byte = 0; byte < 32 + 37; ++byte) {
        log[byte] ^= 0x40;
        CAPTURE(byte);
        REQUIRE(read_error(log) == number(EventLogError::header));
        log[byte] ^= 0x40;
    }
}

TEST_CASE("records that do not match the header's banks are refused", "[event_log]") {
    auto log = from_hex(golden);
    const std::size_t event = 32 + 37;
    SECTION("fewer digests") {
        log[event + 8] = 1;
        CHECK(read_error(log) == number(EventLogError::digests));
    }
    SECTION("another algorithm") {
        log[event + 12] = 0x0b;
        CHECK(read_error(log) == number(EventLogError::digests));
    }
    SECTION("data longer than the cap") {
        log[event + 12 + 22 + 34 + 1] = 0x11;
        CHECK(read_error(log) == number(EventLogError::event_too_long));
    }
    SECTION("trailing zero padding") {
        log.push_back(0);
        CHECK(read_error(log) == number(EventLogError::truncated));
    }
    SECTION("no bank, a bank twice, an unknown bank") {
        log[32 + 24] = 0;
        CHECK(read_error(log) == number(EventLogError::header));
        log[32 + 24] = 2;
        log[32 + 28] = 0x0b;
        log[32 + 30] = 0x20;
        CHECK(read_error(log) == number(EventLogError::header));
        log[32 + 28] = 0x12;
        CHECK(read_error(log) == number(EventLogError::header));
    }
}

TEST_CASE("a log longer than the cap is refused before it is read", "[event_log]") {
    const std::vector<std::uint8_t> log(max_log_size + 1);
    CHECK(read_error(log) == number(EventLogError::log_too_long));
}

TEST_CASE("a full buffer refuses the event and keeps the log", "[event_log]") {
    std::vector<std::uint8_t> buffer(written_log().size() + 20);
    auto writer = EventLogWriter::create(buffer, two_banks());
    REQUIRE(writer.ok());
    const auto abc = from_hex("616263");
    REQUIRE(writer.value().fits(3));
    REQUIRE(writer.value().append(17, hash_all(two_banks(), abc), abc).ok());
    CHECK_FALSE(writer.value().fits(3));
    const auto refused = writer.value().append(17, hash_all(two_banks(), abc), abc);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error() == EventLogError::full);
    CHECK(to_hex(writer.value().log()) == to_hex(written_log()));
    CHECK_FALSE(EventLogWriter::create(ByteSpan{buffer}.first(60), two_banks()).ok());
}

TEST_CASE("an event that misses a bank is not written", "[event_log]") {
    std::vector<std::uint8_t> buffer(512);
    auto writer = EventLogWriter::create(buffer, two_banks());
    REQUIRE(writer.ok());
    DigestSet only_sha256;
    only_sha256.add(hash(TPM_ALG_ID::SHA256, {}));
    const std::size_t before = writer.value().log().size();
    CHECK(writer.value().append(17, only_sha256, {}).error() == EventLogError::digests);
    CHECK(writer.value().log().size() == before);
}

TEST_CASE("a log is continued where another writer left it", "[event_log]") {
    auto buffer = written_log();
    const std::size_t used = buffer.size();
    buffer.resize(1024);
    auto writer = EventLogWriter::resume(buffer, used);
    REQUIRE(writer.ok());
    CHECK(writer.value().banks() == two_banks());
    REQUIRE(writer.value().append(19, hash_all(two_banks(), {}), {}).ok());
    CHECK(read_error(writer.value().log()) == 0);
    CHECK_FALSE(EventLogWriter::resume(buffer, used - 1).ok());
    CHECK_FALSE(EventLogWriter::resume(buffer, buffer.size() + 1).ok());
}

TEST_CASE("PCRs extend as the TPM does, in each bank", "[pcr]") {
    LaunchPcrs pcrs{two_banks()};
    const auto abc = from_hex("616263");
    CHECK(pcrs.value(TPM_ALG_ID::SHA1, 22) == Digest::filled(TPM_ALG_ID::SHA1, 0));
    REQUIRE(pcrs.extend(17, hash_all(two_banks(), abc)));
    // printf '%064d' 0 | xxd -r -p; sha256sum of 32 zero bytes and SHA-256("abc")
    CHECK(to_hex(pcrs.value(TPM_ALG_ID::SHA256, 17).view()) ==
          to_hex(sha256(from_hex("0000000000000000000000000000000000000000000000000000000000000000"
                                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))));
    CHECK(pcrs.value(TPM_ALG_ID::SHA256, 18) == Digest::filled(TPM_ALG_ID::SHA256, 0));
    CHECK_FALSE(pcrs.extend(16, hash_all(two_banks(), abc)));
    CHECK_FALSE(pcrs.extend(23, hash_all(two_banks(), abc)));
    DigestSet only_sha256;
    only_sha256.add(hash(TPM_ALG_ID::SHA256, abc));
    CHECK_FALSE(pcrs.extend(18, only_sha256));
    CHECK(pcrs.value(TPM_ALG_ID::SHA256, 18) == Digest::filled(TPM_ALG_ID::SHA256, 0));
}
