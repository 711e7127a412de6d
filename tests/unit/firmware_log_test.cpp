// SPDX-License-Identifier: Apache-2.0
// The firmware's event log: what parses, what it makes of PCR 0-7, and every way to be malformed.
#include <catch2/catch.hpp>

#include "tests/unit/firmware_sample.hpp"

using namespace casemate;
using namespace casemate::attest;
using casemate::test::FirmwareSample;
using measure::TPM_ALG_ID;

namespace {

measure::Banks quoted() {
    measure::Banks banks;
    for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384}) (void)banks.add(bank);
    return banks;
}

/// Empty when the log is good.
std::string refusal(ByteView log) {
    Reasons reasons;
    const auto pcrs = replay_firmware(log, quoted(), reasons);
    CHECK(pcrs.has_value() == reasons.empty());
    return reasons.empty() ? "" : name_of(reasons.begin()->error);
}

std::string refusal(const FirmwareSample& sample) { return refusal(sample.log()); }

measure::Digest extended(TPM_ALG_ID bank, std::initializer_list<std::uint8_t> measured, std::uint8_t start = 0) {
    measure::Digest value = measure::Digest::filled(bank, 0);
    value.span().back() = start;
    for (const std::uint8_t each : measured) value = measure::extended(value, measure::hash(bank, ByteView{&each, 1}));
    return value;
}

measure::Digest value_of(const FirmwareSample& sample, TPM_ALG_ID bank, std::uint32_t pcr) {
    Reasons reasons;
    const auto pcrs = replay_firmware(sample.log(), quoted(), reasons);
    REQUIRE(pcrs);
    return pcrs->value(bank, pcr);
}

} // namespace

TEST_CASE("a firmware log gives PCR 0-7 in each quoted bank", "[firmware]") {
    FirmwareSample sample;
    for (const TPM_ALG_ID bank : quoted()) {
        CHECK(value_of(sample, bank, 0) == extended(bank, {1, 2}));
        CHECK(value_of(sample, bank, 4) == extended(bank, {3, 4}));
        CHECK(value_of(sample, bank, 7) == extended(bank, {5}));
        CHECK(value_of(sample, bank, 1) == extended(bank, {}));
    }
    sample.algorithms.push_back({FirmwareSample::sm3, 32}); // an algorithm that we do not know is passed over
    sample.platform_class = 1;
    sample.uintn = 1;
    sample.vendor.clear();
    CHECK(value_of(sample, TPM_ALG_ID::SHA256, 4) == extended(TPM_ALG_ID::SHA256, {3, 4}));
}

TEST_CASE("an event that measures nothing changes no PCR, but tells at which locality the TPM was started", "[firmware]") {
    FirmwareSample sample;
    sample.events.insert(sample.events.begin(), {0, FirmwareSample::EV_NO_ACTION, {8}, FirmwareSample::startup_locality(3)});
    sample.events.push_back({0xffffffff, FirmwareSample::EV_NO_ACTION, {8}, {1}});
    CHECK(value_of(sample, TPM_ALG_ID::SHA256, 0) == extended(TPM_ALG_ID::SHA256, {1, 2}, 3));
    CHECK(value_of(sample, TPM_ALG_ID::SHA384, 0) == extended(TPM_ALG_ID::SHA384, {1, 2}, 3));
    sample.events[0].data = FirmwareSample::startup_locality(2); // no TPM starts there
    CHECK(refusal(sample) == "firmware_log_malformed");
    sample.events[0].data = FirmwareSample::startup_locality(3);
    sample.events[0].pcr = 1;
    CHECK(refusal(sample) == "firmware_log_malformed");
    sample.events[0].pcr = 0;
    sample.events[0].data.push_back(0);
    CHECK(refusal(sample) == "firmware_log_malformed");
    sample.events[0].data.pop_back();
    std::swap(sample.events[0], sample.events[1]); // too late: PCR 0 is extended
    CHECK(refusal(sample) == "firmware_log_malformed");
    std::swap(sample.events[0], sample.events[1]);
    sample.events.insert(sample.events.begin(), sample.events[0]); // twice
    CHECK(refusal(sample) == "firmware_log_malformed");
}

TEST_CASE("a firmware log that is cut short anywhere but between events is refused, so are trailing bytes", "[firmware]") {
    FirmwareSample sample;
    const auto whole = sample.log();
    REQUIRE(refusal(whole).empty());
    std::vector<std::size_t> ends{sample.header().size()};
    const auto events = sample.events;
    for (std::size_t count = 1; count <= events.size(); ++count) {
        sample.events.assign(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count));
        ends.push_back(sample.log().size());
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        const bool between = std::find(ends.begin(), ends.end(), size) != ends.end();
        CHECK(refusal(ByteView{whole}.first(size)) == (between ? "" : "firmware_log_malformed"));
    }
    for (std::size_t more = 1; more < 16; ++more) {
        auto longer = whole;
        longer.insert(longer.end(), more, 0);
        CHECK(refusal(longer) == "firmware_log_malformed");
    }
}

TEST_CASE("a header that lies is refused", "[firmware]") {
    const auto bent = [](auto bend) {
        FirmwareSample sample;
        bend(sample);
        return refusal(sample);
    };
    CHECK(bent([](auto& s) { s.header_pcr = 1; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.header_type = FirmwareSample::EV_POST_CODE; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.header_digest = 1; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.major = 1; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.minor = 1; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.header_size_error = 1; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.header_size_error = -1; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.header_size_error = -1000; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.algorithms.clear(); }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.algorithms.push_back(s.algorithms[1]); }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.algorithms[1].size = 31; }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.algorithms.push_back({FirmwareSample::sm3, 0}); }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) { s.algorithms.push_back({FirmwareSample::sm3, 65}); }) == "firmware_log_malformed");
    CHECK(bent([](auto& s) {
              for (std::uint16_t i = 0; i < 6; ++i) s.algorithms.push_back({static_cast<std::uint16_t>(0x100 + i), 4});
          }) == "firmware_log_malformed"); // nine
    CHECK(bent([](auto& s) { s.algorithms.pop_back(); }) == "firmware_log_banks"); // sha384 is quoted
}

TEST_CASE("events that lie are refused", "[firmware]") {
    FirmwareSample sample;
    const auto good = sample.log();
    const std::size_t first = sample.header().size();
    const auto with = [&](std::size_t at, std::initializer_list<std::uint8_t> bytes) {
        auto log = good;
        std::copy(bytes.begin(), bytes.end(), log.begin() + static_cast<std::ptrdiff_t>(first + at));
        return refusal(log);
    };
    CHECK(with(0, {24}) == "firmware_log_malformed");       // no such PCR
    CHECK(with(8, {2}) == "firmware_log_malformed");        // a digest less than the header says
    CHECK(with(8, {4}) == "firmware_log_malformed");
    CHECK(with(12, {0x0b}) == "firmware_log_malformed");    // sha256 twice
    CHECK(with(12, {0x27}) == "firmware_log_malformed");    // an algorithm that the header has not
    CHECK(with(12 + 22 + 34 + 50, {0xff, 0xff, 0xff, 0xff}) == "firmware_log_malformed"); // data to the end of memory
    CHECK(with(12 + 22 + 34 + 50, {3}) == "firmware_log_malformed"); // into the next event
    CHECK(refusal(std::vector<std::uint8_t>(max_firmware_log + 1)) == "firmware_log_malformed");
    CHECK(refusal(ByteView{}) == "firmware_log_malformed");
}

namespace {

std::optional<measure::AgileHeader> header_of(ByteView log) {
    LittleEndianReader in{log};
    return measure::read_agile_header(in);
}

} // namespace

TEST_CASE("a log is cut into whole events, whatever algorithms it has", "[firmware]") {
    FirmwareSample sample;
    sample.algorithms.push_back({FirmwareSample::sm3, 32});
    const std::vector<std::uint8_t> log = sample.log();
    LittleEndianReader in{log};
    const auto header = measure::read_agile_header(in);
    REQUIRE(header);
    CHECK(log.size() - in.remaining() == sample.header().size());
    const ByteView events = ByteView{log}.last(in.remaining());
    CHECK(header->events_size(events, sample.events.size()) == events.size());
    CHECK(header->events_size(events, 0) == 0);
    CHECK_FALSE(header->events_size(events, sample.events.size() + 1));
    CHECK_FALSE(header->events_size(events, ~0ull));
    const auto first = header->event_size(events);
    REQUIRE(first);
    CHECK(header->events_size(events, 1) == *first);
    for (std::size_t length = 0; length < *first; ++length) CHECK_FALSE(header->event_size(events.first(length)));
    for (std::size_t length = 0; length < sample.header().size(); ++length) CHECK_FALSE(header_of(ByteView{log}.first(length)));
}

TEST_CASE("a log of the old form, with too many algorithms, or an event with one that the header does not name, is not followed", "[firmware]") {
    FirmwareSample sample;
    std::vector<std::uint8_t> old = sample.log();
    old[32] = 'X'; // of "Spec ID Event03"
    CHECK_FALSE(header_of(old));
    while (sample.algorithms.size() <= measure::max_log_algorithms) sample.algorithms.push_back({static_cast<std::uint16_t>(0x100 + sample.algorithms.size()), 8});
    CHECK_FALSE(header_of(sample.header()));
    sample.algorithms.clear();
    CHECK_FALSE(header_of(sample.header()));
    FirmwareSample fewer, more;
    fewer.algorithms.pop_back();
    const auto header = header_of(fewer.header());
    REQUIRE(header);
    const std::vector<std::uint8_t> log = more.log();
    CHECK_FALSE(header->event_size(ByteView{log}.subspan(more.header().size())));
}
