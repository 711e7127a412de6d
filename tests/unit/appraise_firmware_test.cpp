// SPDX-License-Identifier: Apache-2.0
// Evidence with the firmware's PCRs: a reference for them is never passed over, and the first event that differs is named.
#include <catch2/catch.hpp>

#include "tests/unit/evidence_builder.hpp"
#include "tests/unit/firmware_sample.hpp"

using namespace casemate;
using namespace casemate::test;
using attest::FirmwarePcrReference;

namespace {

constexpr std::uint32_t with_firmware = all_launch_pcrs | 0xff;

struct FirmwareEvidence : EvidenceBuilder {
    FirmwareEvidence() { boot(); }

    /// What the firmware measured, logged and quoted.
    void boot() {
        firmware_log = sample.log();
        attest::Reasons reasons;
        firmware_pcrs = attest::replay_firmware(firmware_log, expected_banks, reasons);
        for (attest::PcrSelection& each : selection) each.pcrs = with_firmware;
    }
    /// The reference: final values of PCR 0, the events of PCR 4.
    void accept() {
        for (const TPM_ALG_ID bank : expected_banks) {
            values.push_back(measure::Digest::filled(bank, 0x11)); // another accepted firmware
            values.push_back(firmware_pcrs->value(bank, 0));
        }
        for (const std::uint8_t measured : {3, 4}) {
            std::vector<measure::Digest>& event = events.emplace_back();
            for (const TPM_ALG_ID bank : expected_banks) event.push_back(measure::hash(bank, ByteView{&measured, 1}));
        }
        refresh();
    }
    void refresh() {
        views.assign(events.begin(), events.end());
        pcrs = {FirmwarePcrReference{0, values, {}}, FirmwarePcrReference{4, {}, views}};
        reference.firmware = pcrs;
    }
    std::string verdict() {
        std::string text;
        for (const attest::Reason& reason : appraise().reasons)
            text += std::string{name_of(reason.error)} + " (" + std::string{reason.component.view()} + ") ";
        return text;
    }

    FirmwareSample sample;
    std::vector<measure::Digest> values;
    std::vector<std::vector<measure::Digest>> events;
    std::vector<std::span<const measure::Digest>> views;
    std::vector<FirmwarePcrReference> pcrs;
};

} // namespace

TEST_CASE("firmware that is quoted, logged and accepted is affirmed", "[firmware]") {
    FirmwareEvidence evidence;
    CHECK(evidence.verdict().empty()); // no reference for it: nothing to compare, but the log must replay
    evidence.accept();
    CHECK(evidence.verdict().empty());
}

TEST_CASE("a firmware reference is never silently passed over", "[firmware]") {
    FirmwareEvidence evidence;
    evidence.accept();
    for (attest::PcrSelection& each : evidence.selection) each.pcrs = all_launch_pcrs;
    evidence.firmware_log.clear();
    CHECK(evidence.verdict() == "firmware_missing (firmware) ");
}

TEST_CASE("quoted firmware PCRs and their log come together", "[firmware]") {
    FirmwareEvidence evidence;
    evidence.accept();
    SECTION("a log whose PCRs are not quoted proves nothing") {
        for (attest::PcrSelection& each : evidence.selection) each.pcrs = all_launch_pcrs;
        CHECK(evidence.verdict() == "firmware_not_quoted (PCR 0-7) ");
    }
    SECTION("quoted PCRs without a log cannot be judged") {
        evidence.firmware_log.clear();
        CHECK(evidence.verdict() == "firmware_log_missing (firmware log) ");
    }
    SECTION("one bank with them and one without") {
        evidence.selection[1].pcrs = all_launch_pcrs;
        CHECK(evidence.verdict() == "pcr_selection (sha384) ");
    }
    SECTION("only some of them") {
        for (attest::PcrSelection& each : evidence.selection) each.pcrs = with_firmware & ~1U;
        CHECK(evidence.verdict() == "pcr_selection (sha256) ");
    }
    SECTION("a log that the TPM did not see") {
        evidence.sample.events[3].measured = {99};
        evidence.firmware_log = evidence.sample.log();
        CHECK(evidence.verdict() == "log_replay (PCR digest) ");
    }
    SECTION("a log that does not parse") {
        evidence.firmware_log.pop_back();
        CHECK(evidence.verdict() == "firmware_log_malformed (firmware event) ");
    }
}

TEST_CASE("the first firmware event that differs is named", "[firmware]") {
    FirmwareEvidence evidence;
    evidence.accept();
    SECTION("another event") { evidence.sample.events[3].measured = {99}; }
    SECTION("an event less") { evidence.sample.events.erase(evidence.sample.events.begin() + 3); }
    evidence.boot();
    CHECK(evidence.verdict() == "firmware_differs (firmware PCR 4 event 2) ");
    CHECK(evidence.result->reasons.begin()->expected.view() == attest::hex_of(evidence.events[1][0].view()).view());
}

TEST_CASE("a further firmware event is named", "[firmware]") {
    FirmwareEvidence evidence;
    evidence.accept();
    evidence.sample.events.insert(evidence.sample.events.begin() + 4, {4, FirmwareSample::EV_POST_CODE, {99}});
    evidence.boot();
    CHECK(evidence.verdict() == "firmware_differs (firmware PCR 4 event 3) ");
    CHECK(evidence.result->reasons.begin()->expected.view() == "no further event");
}

TEST_CASE("final firmware values are compared in every quoted bank", "[firmware]") {
    FirmwareEvidence evidence;
    evidence.accept();
    SECTION("differs in one bank") {
        evidence.values[3].storage[0] ^= 1;
        CHECK(evidence.verdict() == "firmware_differs (firmware PCR 0) ");
    }
    SECTION("a quoted bank has no value") {
        evidence.values.resize(2);
        evidence.refresh();
        CHECK(evidence.verdict() == "reference_bank (firmware PCR 0) ");
    }
}
