// SPDX-License-Identifier: Apache-2.0
// Verdicts: the good case, then one test for each reason. Each starts from good evidence and bends one thing.
#include "attest/appraise/appraisal.hpp"
#include "attest/appraise/ledger_view.hpp"
#include "tests/unit/evidence_builder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace casemate;
using namespace casemate::test;
using attest::Verdict;
using measure::Cause;
using measure::ResetKind;

namespace {

std::string words(const Appraisal& appraisal) {
    std::string text;
    for (const attest::Reason& reason : appraisal.reasons) text += std::string{name_of(reason.error)} + " ";
    return text;
}

/// The evidence is refused for exactly these reasons.
void refused_for(EvidenceBuilder& evidence, std::initializer_list<AppraisalError> expected) {
    const Appraisal& appraisal = evidence.appraise();
    std::string wanted;
    for (const AppraisalError error : expected) wanted += std::string{name_of(error)} + " ";
    CHECK(words(appraisal) == wanted);
    CHECK(appraisal.verdict == Verdict::contraindicated);
    CHECK(appraisal.gates.empty());
    CHECK(appraisal.leases.empty());
}
void refused_for(EvidenceBuilder& evidence, AppraisalError error) { refused_for(evidence, {error}); }

/// The texts of the only reason.
void explained_as(EvidenceBuilder& evidence, std::string_view component, std::string_view expected,
                  std::string_view seen) {
    REQUIRE(evidence.result->reasons.size() == 1);
    const attest::Reason& reason = *evidence.result->reasons.begin();
    CHECK(reason.component.view() == component);
    CHECK(reason.expected.view() == expected);
    CHECK(reason.seen.view() == seen);
}

attest::LeaseReport lease_of(const EvidenceBuilder& evidence) {
    return {evidence.grant_id, evidence.policy.devices[0].address, evidence.vm_id(1), filled_with<32>(1), 1000};
}

/// Every gate gets the same answer.
void gates_refused_for(EvidenceBuilder& evidence, AppraisalError error) {
    const Appraisal& appraisal = evidence.appraise();
    CHECK(appraisal.verdict == Verdict::affirming);
    REQUIRE(appraisal.gates.size() == evidence.gates.size());
    REQUIRE(appraisal.gates[0].refusal.has_value());
    CHECK(std::string{name_of(*appraisal.gates[0].refusal)} == name_of(error));
}

} // namespace

TEST_CASE("an appraisal that is used again keeps nothing of the one before", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.leases.push_back(lease_of(evidence));
    REQUIRE(evidence.appraise().verdict == Verdict::affirming);
    REQUIRE_FALSE(evidence.result->gates.empty());
    evidence.bend_signature = [](Bytes& signature) { signature.back() ^= 1; };
    const Appraisal& refused = evidence.appraise();
    CHECK(words(refused) == "signature_invalid ");
    CHECK(refused.verdict == Verdict::contraindicated);
    CHECK(refused.gates.empty());
    CHECK(refused.leases.empty());
    CHECK_FALSE(refused.clock.has_value());
    CHECK_FALSE(refused.log.has_value());
    CHECK(refused.launch_id == measure::LaunchId{});
    CHECK(refused.reference == nullptr);
    CHECK(refused.custody.open_gate(0, 1).empty());
    evidence.bend_signature = nullptr;
    CHECK(words(evidence.appraise()).empty());
}

TEST_CASE("good evidence is affirmed and its gates may be granted", "[appraise]") {
    EvidenceBuilder evidence;
    const Appraisal& appraisal = evidence.appraise();
    CHECK(words(appraisal) == "");
    CHECK(appraisal.verdict == Verdict::affirming);
    CHECK(appraisal.reference == &evidence.reference);
    CHECK(appraisal.launch_id == evidence.launch_id);
    CHECK(appraisal.clock->resetCount == 5);
    REQUIRE(appraisal.gates.size() == 2);
    CHECK_FALSE(appraisal.gates[0].refusal);
    CHECK(appraisal.gates[0].device == 0);
    CHECK(appraisal.gates[0].vm == 1);
    CHECK(appraisal.gates[1].device == 1);
    CHECK(appraisal.custody.vm(0).running);
    CHECK_FALSE(appraisal.custody.vm(1).running);
}

TEST_CASE("the verified ledger can be listed", "[appraise]") {
    EvidenceBuilder evidence;
    std::vector<LedgerKind> kinds;
    attest::for_each_ledger_entry(*evidence.appraise().log,
                                  [&](const LedgerEntry& entry) { kinds.push_back(entry.kind); });
    CHECK(kinds == std::vector{LedgerKind::launched, LedgerKind::vm_defined, LedgerKind::vm_defined,
                               LedgerKind::gate_opened, LedgerKind::gate_opened, LedgerKind::vm_started});
}

TEST_CASE("a held device is renewable under its own lease only", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.assign(0, 1);
    evidence.leases.assign(3, lease_of(evidence));
    evidence.leases[1].grant_id = {};
    evidence.leases[2].gate_nonce = {};
    const Appraisal& appraisal = evidence.appraise();
    CHECK(words(appraisal) == "");
    REQUIRE(appraisal.leases.size() == 3);
    CHECK_FALSE(appraisal.leases[0].refusal);
    CHECK(appraisal.leases[1].refusal == AppraisalError::lease_not_held);
    CHECK(appraisal.leases[2].refusal == AppraisalError::lease_not_held);
    CHECK(appraisal.custody.device(0).state == attest::CustodyState::assigned);
    CHECK(appraisal.gates[0].refusal == AppraisalError::gate_not_open);
    CHECK(appraisal.gates[1].refusal == AppraisalError::gate_not_open); // its VM started: a new gate is due
}

TEST_CASE("a lease lives on while its VM is restarted, and no gate opens for the device", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.assign(0, 1);
    evidence.leases.assign(1, lease_of(evidence));
    const DeviceAddress nic = evidence.policy.devices[0].address;
    const auto live = [&](bool expected) {
        const Appraisal& appraisal = evidence.appraise();
        CHECK(words(appraisal) == "");
        REQUIRE(appraisal.leases.size() == 1);
        CHECK(appraisal.leases[0].refusal.has_value() != expected);
        CHECK(appraisal.gates[0].refusal == AppraisalError::gate_not_open);
    };
    const auto reset = [&] {
        evidence.record({.kind = LedgerKind::device_reset, .device = nic, .reset_kind = ResetKind::function_level, .worked = true});
    };
    evidence.record({.kind = LedgerKind::vm_stopped, .vm_id = evidence.vm_id(1), .cause = Cause::vm_crashed, .reason = 10});
    live(true);
    reset();
    live(true);
    SECTION("it comes again") {
        evidence.record({.kind = LedgerKind::assigned, .vm_id = evidence.vm_id(1), .device = nic, .grant_id = evidence.grant_id});
        evidence.record({.kind = LedgerKind::vm_started, .vm_id = evidence.vm_id(1), .start_number = 2});
        live(true);
    }
    SECTION("it goes back") {
        evidence.record({.kind = LedgerKind::draining, .vm_id = evidence.vm_id(1), .device = nic, .cause = Cause::revoked});
        live(false);
    }
    SECTION("it comes again without a reset") {
        evidence.record({.kind = LedgerKind::assigned, .vm_id = evidence.vm_id(1), .device = nic, .grant_id = evidence.grant_id});
        evidence.record({.kind = LedgerKind::vm_started, .vm_id = evidence.vm_id(1), .start_number = 2});
        evidence.record({.kind = LedgerKind::vm_stopped, .vm_id = evidence.vm_id(1), .cause = Cause::vm_exited, .reason = 2});
        evidence.record({.kind = LedgerKind::assigned, .vm_id = evidence.vm_id(1), .device = nic, .grant_id = evidence.grant_id});
        refused_for(evidence, AppraisalError::ledger_custody);
    }
}

// --- the quote

TEST_CASE("a quote of another shape is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.bend_quote = [](Bytes& quote) { quote.push_back(0); };
    refused_for(evidence, AppraisalError::quote_malformed);
}

TEST_CASE("what no TPM generated is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.magic = 0xff544348;
    refused_for(evidence, AppraisalError::quote_magic);
}

TEST_CASE("other attestation structures than a quote are refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.type = GENERATE(0x8014, 0x8017, 0x8019, 0x801a, 0x8021);
    refused_for(evidence, AppraisalError::quote_type);
}

TEST_CASE("a signature of another shape or scheme is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.bend_signature = GENERATE(as<void (*)(Bytes&)>{}, [](Bytes& s) { s.push_back(0); },
                                       [](Bytes& s) { s.pop_back(); }, [](Bytes& s) { s[1] = 0x14; },
                                       [](Bytes& s) { s[3] = 0x04; }, [](Bytes& s) { s.clear(); });
    refused_for(evidence, AppraisalError::signature_malformed);
}

TEST_CASE("a signature by another platform's key is refused", "[appraise]") {
    EvidenceBuilder evidence;
    const SoftwareKey other;
    evidence.signer = &other;
    refused_for(evidence, AppraisalError::signature_invalid);
}

TEST_CASE("any bit of the signature counts", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.bend_signature = [](Bytes& s) { s[20] ^= 1; };
    refused_for(evidence, AppraisalError::signature_invalid);
}

TEST_CASE("a nonce below 32 bytes is the verifier's own fault and refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.nonce = evidence.expected_nonce = Bytes(31, 1);
    refused_for(evidence, AppraisalError::nonce_too_short);
}

TEST_CASE("a quote over another nonce, session or launch is refused", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("nonce: replayed evidence") { evidence.expected_nonce[31] ^= 1; }
    SECTION("challenge id") { evidence.expected_challenge = "c2"; }
    SECTION("launch id") { evidence.launch_id[0] ^= 1; }
    refused_for(evidence, AppraisalError::nonce_mismatch);
}

TEST_CASE("SHA-1 is no evidence, quoted or asked for", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("quoted") { evidence.selection.push_back({TPM_ALG_ID::SHA1, all_launch_pcrs}); }
    SECTION("asked for and quoted") {
        EvidenceBuilder::add(evidence.expected_banks, TPM_ALG_ID::SHA1);
        evidence.selection.push_back({TPM_ALG_ID::SHA1, all_launch_pcrs});
    }
    refused_for(evidence, AppraisalError::bank_refused);
}

TEST_CASE("the signed selection must be the one asked for", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("a PCR is missing") { evidence.selection[0].pcrs &= ~(1u << 19); }
    SECTION("another PCR instead") { evidence.selection[0].pcrs = 0x7c0001; }
    SECTION("a PCR more") { evidence.selection[1].pcrs |= 1u << 23; }
    SECTION("a bank is missing") { evidence.selection.pop_back(); }
    SECTION("a bank twice") { evidence.selection[1] = evidence.selection[0]; }
    SECTION("nothing at all") { evidence.selection.clear(); }
    refused_for(evidence, AppraisalError::pcr_selection);
}

TEST_CASE("an expectation without any bank affirms nothing", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.expected_banks = {};
    evidence.selection.clear();
    refused_for(evidence, AppraisalError::bank_refused);
}

TEST_CASE("a clock that may have gone back is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.clock.safe = false;
    refused_for(evidence, AppraisalError::clock_unsafe);
}

TEST_CASE("clock values that fall are refused, each by its name", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.previous_clock = evidence.clock;
    SECTION("equal is good") { CHECK(evidence.appraise().verdict == Verdict::affirming); }
    SECTION("restartCount begins anew after a reset") {
        evidence.clock.resetCount = 6;
        evidence.clock.restartCount = 0;
        CHECK(evidence.appraise().verdict == Verdict::affirming);
    }
    SECTION("resetCount") {
        evidence.clock.resetCount = 4;
        refused_for(evidence, AppraisalError::clock_reset_count);
        explained_as(evidence, "resetCount", "5", "4");
    }
    SECTION("restartCount") {
        evidence.clock.restartCount = 1;
        refused_for(evidence, AppraisalError::clock_restart_count);
    }
    SECTION("clock, even after a reset") {
        evidence.clock.resetCount = 6;
        evidence.clock.clock -= 1;
        refused_for(evidence, AppraisalError::clock_value);
    }
}

// --- the log against the quote

TEST_CASE("a log that does not parse is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.bend_log = GENERATE(as<Bytes (*)(Bytes)>{},
                                 [](Bytes log) { log.push_back(0); return log; },
                                 [](Bytes log) { log[32] ^= 1; return log; });
    refused_for(evidence, AppraisalError::log_malformed);
}

TEST_CASE("the log must have exactly the active banks", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("an active bank is not in the log") {
        EvidenceBuilder::add(evidence.expected_banks, TPM_ALG_ID::SHA512);
        evidence.tpm_events = evidence.log_events;
        evidence.bend_quote = [](Bytes& quote) { // as if the TPM had quoted sha512 too; its digest comes later
            const std::size_t count = 4 + 2 + 2 + 34 + 2 + 32 + 8 + 4 + 4 + 1 + 8 + 3;
            quote[count] = 3;
            const Bytes sha512{0x00, 0x0d, 0x03, 0x00, 0x00, 0x7e};
            quote.insert(quote.begin() + count + 1 + 12, sha512.begin(), sha512.end());
        };
        refused_for(evidence, AppraisalError::log_banks);
        explained_as(evidence, "sha512", "in the log", "absent");
    }
    SECTION("the log has a bank that is not quoted") {
        evidence.expected_banks = {};
        EvidenceBuilder::add(evidence.expected_banks, TPM_ALG_ID::SHA256);
        evidence.selection.pop_back();
        refused_for(evidence, AppraisalError::log_banks);
        explained_as(evidence, "sha384", "not active", "in the log");
    }
}

TEST_CASE("a hypervisor started without a launch is named as such", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.pcr_start = 0xff;
    evidence.launch_kind = launch::LaunchKind::unmeasured;
    evidence.launch();
    SECTION("by the SLB, which writes down an extend that SKINIT never made") {
        evidence.tpm_events = {evidence.log_events.begin() + 1, evidence.log_events.end()};
        refused_for(evidence, {AppraisalError::not_launched, AppraisalError::launch_kind}); // and its own word for it
    }
    SECTION("by the SLB, with a hypervisor that claims a launch") {
        evidence.launch_kind = launch::LaunchKind::skinit;
        evidence.launch();
        evidence.tpm_events = {evidence.log_events.begin() + 1, evidence.log_events.end()};
        refused_for(evidence, AppraisalError::not_launched);
    }
    SECTION("by an imitation that extends the SLB's digest itself") {
        refused_for(evidence, {AppraisalError::not_launched, AppraisalError::launch_kind});
    }
    SECTION("by something that is no SLB") {
        evidence.log_events.erase(evidence.log_events.begin(), evidence.log_events.begin() + 4);
        refused_for(evidence, {AppraisalError::not_launched, AppraisalError::event_order});
    }
}

TEST_CASE("PCRs at all ones are not launched, whatever the log says", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.pcr_start = 0xff;
    evidence.tpm_events.push_back({}); // nothing that extends PCR 17-22
    refused_for(evidence, AppraisalError::not_launched);
}

TEST_CASE("PCRs at zero are a launch that did not finish", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.tpm_events.push_back({});
    refused_for(evidence, AppraisalError::launch_not_finished);
}

TEST_CASE("a log that is not the TPM's history does not replay", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.tpm_events = evidence.log_events;
    SECTION("truncated") { evidence.log_events.pop_back(); }
    SECTION("one event twice") { evidence.log_events.push_back(evidence.log_events.back()); }
    SECTION("two events exchanged") { std::swap(evidence.log_events[7], evidence.log_events[8]); }
    SECTION("a digest changed in one bank only") {
        measure::DigestSet changed;
        for (const measure::Digest& digest : evidence.log_events[0].digests) {
            changed.add(digest.algorithm == TPM_ALG_ID::SHA384 ? measure::Digest::filled(TPM_ALG_ID::SHA384, 1) : digest);
        }
        evidence.log_events[0].digests = changed;
    }
    SECTION("the TPM's PCR 22 is not zero") {
        evidence.tpm_events.push_back({22, 6, measure::hash_all(evidence.log_banks, Bytes{1}), {}});
    }
    SECTION("the TPM's PCRs were capped") {
        measure::DigestSet cap;
        for (const TPM_ALG_ID bank : evidence.log_banks) cap.add(measure::Digest::filled(bank, 0xff));
        evidence.tpm_events.push_back({17, 6, cap, {}});
    }
    refused_for(evidence, AppraisalError::log_replay);
}

TEST_CASE("a bank that missed one extend is unusable as a whole", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.tpm_events = evidence.log_events;
    measure::DigestSet partial; // the TPM saw other bytes in its sha384 bank
    for (const measure::Digest& digest : evidence.tpm_events.back().digests) {
        partial.add(digest.algorithm == TPM_ALG_ID::SHA384 ? measure::Digest::filled(TPM_ALG_ID::SHA384, 0) : digest);
    }
    evidence.tpm_events.back().digests = partial;
    refused_for(evidence, AppraisalError::log_replay);
}

// --- the grammar of the log

TEST_CASE("a relabelled event is refused although it replays", "[appraise]") {
    EvidenceBuilder evidence;
    const std::size_t event = GENERATE(0u, 3u, 5u, 8u);
    evidence.log_events[event].type = GENERATE(3u, 0xdu, 0x80000001u);
    refused_for(evidence, AppraisalError::event_type);
}

TEST_CASE("an event outside its PCR is refused", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("ledger entry in PCR 20") { evidence.log_events.back().pcr = 20; }
    SECTION("ledger entry in PCR 16, which nothing protects") { evidence.log_events.back().pcr = 16; }
    SECTION("policy in PCR 17") { evidence.log_events[3].pcr = 17; }
    refused_for(evidence, AppraisalError::event_pcr);
}

TEST_CASE("an unknown event is refused, extended or not", "[appraise]") {
    EvidenceBuilder evidence;
    const Bytes unknown{0x77, 0x00, 0x53, 0x43, 0, 0, 0, 0};
    SECTION("at the end, extended") {
        evidence.event(19, unknown, unknown);
        refused_for(evidence, AppraisalError::event_unknown);
    }
    SECTION("at the start, extended") {
        evidence.event(17, unknown, unknown);
        std::rotate(evidence.log_events.begin(), evidence.log_events.end() - 1, evidence.log_events.end());
        refused_for(evidence, AppraisalError::event_unknown);
    }
    SECTION("not tagged data") {
        evidence.log_events[2].data = Bytes{1, 2, 3};
        refused_for(evidence, AppraisalError::event_unknown);
    }
    SECTION("put into the log only: both reasons") {
        evidence.tpm_events = evidence.log_events;
        evidence.event(18, unknown, unknown);
        std::rotate(evidence.log_events.begin(), evidence.log_events.end() - 1, evidence.log_events.end());
        refused_for(evidence, {AppraisalError::log_replay, AppraisalError::event_unknown});
    }
}

TEST_CASE("launch events out of their order are refused", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("hypervisor before SLB") { std::swap(evidence.log_events[0], evidence.log_events[1]); }
    SECTION("policy before owner key") { std::swap(evidence.log_events[2], evidence.log_events[3]); }
    SECTION("a ledger entry before the policy") { std::swap(evidence.log_events[3], evidence.log_events[4]); }
    SECTION("a launch event after the ledger began") { evidence.log_events.push_back(evidence.log_events[0]); }
    refused_for(evidence, AppraisalError::event_order);
}

TEST_CASE("a log that ends before the launch is complete is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.log_events.resize(GENERATE(1u, 3u));
    // Without `launched` the launch id is unknown: the agent quotes over zeros.
    evidence.launch_id = {};
    refused_for(evidence, AppraisalError::event_missing);
}

TEST_CASE("a launch event with another payload is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.log_events[1].data.back() ^= 0x40; // the size is no longer a number of its width
    evidence.log_events[1].data[9] = 0x01;      // key 1
    refused_for(evidence, AppraisalError::event_payload);
}

TEST_CASE("data that its digest does not cover is refused", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("owner key") { evidence.log_events[2].data.back() ^= 1; }
    SECTION("ledger entry") { evidence.log_events.back().data.back() ^= 3; }
    refused_for(evidence, AppraisalError::event_digest);
}

// --- the ledger

TEST_CASE("a ledger entry of another shape is refused", "[appraise]") {
    EvidenceBuilder evidence;
    const Bytes data{0x13, 0x00, 0x53, 0x43, 0x01, 0, 0, 0, 0xa0};
    evidence.event(19, data, data);
    refused_for(evidence, AppraisalError::ledger_malformed);
}

TEST_CASE("a gap, a repetition or a step back in the ledger's sequence is refused", "[appraise]") {
    EvidenceBuilder evidence;
    const std::int64_t step = GENERATE(1, -1, -2);
    evidence.sequence = static_cast<std::uint64_t>(static_cast<std::int64_t>(evidence.sequence) + step);
    evidence.open_gate(0, 1);
    refused_for(evidence, AppraisalError::ledger_sequence);
}

TEST_CASE("time that falls in the ledger is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.record_as_is({.kind = LedgerKind::vm_stopped, .sequence = evidence.sequence, .time_ms = 3,
                           .vm_id = evidence.vm_id(0), .cause = Cause::vm_exited});
    refused_for(evidence, AppraisalError::ledger_time);
}

TEST_CASE("launched comes first and once, definitions right after it", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("launched twice") { evidence.record({.kind = LedgerKind::launched}); }
    SECTION("a late definition") {
        evidence.record({.kind = LedgerKind::vm_defined, .definition = evidence.definitions[1]});
    }
    SECTION("another entry first") {
        evidence.log_events.resize(4);
        evidence.sequence = 0;
        evidence.launch_id = {};
        evidence.record({.kind = LedgerKind::vm_started, .vm_id = evidence.vm_id(0), .start_number = 1});
    }
    refused_for(evidence, AppraisalError::ledger_order);
}

TEST_CASE("an entry that the custody machine does not allow breaks the ledger", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.record({.kind = LedgerKind::assigned, .vm_id = evidence.vm_id(1),
                     .device = evidence.policy.devices[0].address, .grant_id = evidence.grant_id});
    refused_for(evidence, AppraisalError::ledger_custody);
    explained_as(evidence, "event 11", "", "assigned");
}

// --- reference values

TEST_CASE("a launch that the hypervisor itself calls unmeasured is refused", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.launch_kind = launch::LaunchKind::unmeasured;
    evidence.launch();
    refused_for(evidence, AppraisalError::launch_kind);
}

TEST_CASE("without reference values nothing is affirmed", "[appraise]") {
    EvidenceBuilder evidence;
    // One set that is no set: default values accept nothing either.
    evidence.reference_sets.resize(1);
    CHECK(evidence.appraise().verdict == Verdict::contraindicated);
    const auto key = measure::P256PublicKey::create(evidence.key.point());
    const Bytes quote = evidence.quote(evidence.pcrs(evidence.log_events));
    const Bytes signature = evidence.key.sign(quote), log = evidence.log();
    attest::appraise({quote, signature, log}, {key.value(), evidence.nonce, "c1", evidence.expected_banks, {}, {}},
                     *evidence.result);
    CHECK(words(*evidence.result) == "reference_missing ");
}

TEST_CASE("a reference without a digest for an active bank is not ignored", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.reference.slb = {};
    evidence.reference.slb.add(measure::hash(TPM_ALG_ID::SHA256, evidence.slb));
    refused_for(evidence, AppraisalError::reference_bank);
    explained_as(evidence, "slb", "sha384", "");
}

TEST_CASE("one flipped bit is named by the component that has it", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("SLB") {
        evidence.slb[7] ^= 1;
        evidence.launch();
        refused_for(evidence, AppraisalError::slb_differs);
    }
    SECTION("hypervisor") {
        evidence.hypervisor[7] ^= 1;
        evidence.launch();
        refused_for(evidence, AppraisalError::hypervisor_differs);
    }
    SECTION("owner key") {
        evidence.owner_key[7] ^= 1;
        evidence.launch();
        refused_for(evidence, AppraisalError::owner_key_differs);
    }
    SECTION("policy") {
        evidence.bundle[7] ^= 1;
        evidence.launch();
        refused_for(evidence, AppraisalError::policy_differs);
    }
}

TEST_CASE("the sizes and the epoch that the log states are checked too", "[appraise]") {
    EvidenceBuilder evidence;
    SECTION("size of the SLB") {
        evidence.reference.slb_length += 1;
        refused_for(evidence, AppraisalError::slb_differs);
        explained_as(evidence, "slb", "4001", "4000");
    }
    SECTION("epoch") {
        evidence.logged_epoch = 6;
        evidence.launch();
        refused_for(evidence, AppraisalError::policy_epoch);
        explained_as(evidence, "policy epoch", "7", "6");
    }
}

TEST_CASE("a VM that differs is named with its part", "[appraise]") {
    EvidenceBuilder evidence;
    auto vm = *measure::parse_vm_definition(evidence.reference_definitions[1]);
    AppraisalError expected{};
    SECTION("kernel") {
        vm.kernel[0] ^= 1;
        expected = AppraisalError::vm_kernel_differs;
    }
    SECTION("initrd") {
        vm.initrd[0] ^= 1;
        expected = AppraisalError::vm_initrd_differs;
    }
    SECTION("command line") {
        vm.command_line = "console=ttyS0 init=/bin/sh";
        expected = AppraisalError::vm_command_line_differs;
    }
    SECTION("memory") {
        vm.memory_mib += 2;
        expected = AppraisalError::vm_definition_differs;
    }
    std::uint8_t buffer[measure::max_vm_definition];
    evidence.definitions[1] = copy(measure::encode(buffer, vm));
    evidence.launch();
    refused_for(evidence, expected);
    CHECK(evidence.result->reasons.begin()->component.view() == "net0");
}

TEST_CASE("a VM too few or too many is refused", "[appraise]") {
    EvidenceBuilder evidence;
    const bool fewer = GENERATE(true, false);
    if (fewer) evidence.definitions.pop_back();
    else evidence.definitions.push_back(evidence.definitions[0]);
    evidence.launch();
    refused_for(evidence, AppraisalError::vm_count);
}

TEST_CASE("of several accepted builds one must match wholly, and the nearest explains", "[appraise]") {
    EvidenceBuilder evidence;
    attest::ReferenceSet other = evidence.reference;
    other.slb = other.hypervisor = other.policy_digest = measure::hash_all(evidence.log_banks, Bytes{9});
    SECTION("the second matches") {
        evidence.reference_sets = {other, evidence.reference};
        CHECK(evidence.appraise().reference == &evidence.reference_sets[1]);
    }
    SECTION("none does: half of each is not enough") {
        attest::ReferenceSet near = evidence.reference;
        near.hypervisor = other.hypervisor;
        evidence.reference_sets = {other, near};
        refused_for(evidence, AppraisalError::hypervisor_differs);
    }
}

// --- gates

TEST_CASE("a matching set counts within its time only, and its policy at or above the least epoch", "[appraise]") {
    const auto word = [](std::uint64_t now, std::uint64_t not_before, std::uint64_t not_after, std::uint64_t least) {
        EvidenceBuilder evidence;
        evidence.reference.not_before = not_before;
        evidence.reference.not_after = not_after;
        evidence.rules = {now, least};
        const Appraisal& appraisal = evidence.appraise();
        CHECK((appraisal.verdict == attest::Verdict::affirming) == appraisal.reasons.empty());
        CHECK((appraisal.reference == nullptr) != appraisal.reasons.empty());
        return appraisal.reasons.empty() ? std::string{} : std::string{name_of(appraisal.reasons.begin()->error)};
    };
    CHECK(word(100, 100, 100, 7) == "");
    CHECK(word(99, 100, 200, 0) == "reference_not_yet_valid");
    CHECK(word(201, 100, 200, 0) == "reference_expired");
    CHECK(word(UINT64_MAX, 0, 0, 0) == "");
    CHECK(word(150, 100, 200, 8) == "policy_epoch_low");
}

TEST_CASE("a set out of use does not stop another one that matches, and does not hide what differs", "[appraise]") {
    EvidenceBuilder evidence;
    attest::ReferenceSet old = evidence.reference;
    old.not_after = 1;
    evidence.rules.now = 2;
    evidence.reference_sets = {old, evidence.reference};
    CHECK(evidence.appraise().reference == &evidence.reference_sets[1]);
    attest::ReferenceSet other = evidence.reference;
    other.hypervisor_size += 1;
    evidence.reference_sets = {other, old};
    CHECK(evidence.appraise().reasons.contains(AppraisalError::reference_expired));
    CHECK(evidence.result->reasons.size() == 1);
    evidence.reference_sets = {other};
    CHECK(evidence.appraise().reasons.contains(AppraisalError::hypervisor_differs));
}

TEST_CASE("gates that are not what the ledger shows get nothing", "[appraise]") {
    EvidenceBuilder evidence;
    std::uint8_t buffer[measure::max_gate_request];
    auto request = *measure::parse_gate_request(evidence.gates[0]);
    AppraisalError expected{};
    SECTION("malformed") {
        evidence.gates[0].push_back(0);
        gates_refused_for(evidence, AppraisalError::gate_malformed);
        return;
    }
    SECTION("another launch") {
        request.launch_id[0] ^= 1;
        expected = AppraisalError::gate_launch;
    }
    SECTION("another nonce: made up, or stale") {
        request.gate_nonce[0] ^= 1;
        expected = AppraisalError::gate_not_open;
    }
    SECTION("better isolation than was recorded") {
        request.isolation.reset_kind = ResetKind::secondary_bus;
        expected = AppraisalError::gate_not_open;
    }
    SECTION("a device that the policy does not list") {
        request.device.address.device = 9;
        expected = AppraisalError::gate_device;
    }
    SECTION("another device in that place") {
        request.device.device_id ^= 1;
        expected = AppraisalError::gate_device;
    }
    SECTION("a VM that may not hold it") {
        request.vm_id = evidence.vm_id(0);
        expected = AppraisalError::gate_holder;
    }
    SECTION("a VM that is not defined") {
        request.vm_id = {};
        expected = AppraisalError::gate_holder;
    }
    evidence.gates[0] = copy(measure::encode(buffer, request));
    gates_refused_for(evidence, expected);
}

TEST_CASE("a recorded gate without remapping gets nothing", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.gates.clear();
    auto request = evidence.gate(0, 1);
    if (GENERATE(true, false)) request.isolation.dma_remapping = false;
    else request.isolation.interrupt_remapping = false;
    evidence.open_gate(request);
    gates_refused_for(evidence, AppraisalError::gate_isolation);
}

TEST_CASE("a recorded gate of a device that shares its group, or resets otherwise than the policy wants it, gets nothing", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.gates.clear();
    auto request = evidence.gate(0, 1);
    if (GENERATE(true, false)) request.isolation.group += 1;
    else evidence.policy.devices[0].resets = 1 << static_cast<unsigned>(ResetKind::secondary_bus);
    evidence.open_gate(request);
    gates_refused_for(evidence, AppraisalError::gate_isolation);
}

TEST_CASE("a gate of a device that the driver's own image tainted may be granted, of another image not",
          "[appraise]") {
    EvidenceBuilder evidence;
    evidence.policy.devices[0].holder_count = 2; // the agent too, for this test
    evidence.policy.devices[0].holders[1] = 0;
    const DeviceAddress nic = evidence.policy.devices[0].address;
    evidence.record({.kind = LedgerKind::grant_accepted, .vm_id = evidence.vm_id(1), .device = nic, .grant_id = evidence.grant_id});
    evidence.record({.kind = LedgerKind::device_reset, .device = nic, .reset_kind = ResetKind::none});
    evidence.record({.kind = LedgerKind::assigned, .vm_id = evidence.vm_id(1), .device = nic, .grant_id = evidence.grant_id});
    evidence.record({.kind = LedgerKind::draining, .vm_id = evidence.vm_id(1), .device = nic, .cause = Cause::revoked});
    evidence.record({.kind = LedgerKind::device_reset, .device = nic, .reset_kind = ResetKind::none});
    evidence.record({.kind = LedgerKind::quarantined, .device = nic, .tainted_by = evidence.vm_id(1)});
    evidence.gates.clear();
    auto own = evidence.gate(0, 1), foreign = evidence.gate(0, 0);
    own.tainted_by = foreign.tainted_by = evidence.vm_id(1);
    evidence.open_gate(foreign);
    evidence.open_gate(own);
    gates_refused_for(evidence, AppraisalError::gate_tainted);
    CHECK_FALSE(evidence.result->gates[1].refusal);
}

TEST_CASE("a gate sent twice is granted once", "[appraise]") {
    EvidenceBuilder evidence;
    evidence.gates.push_back(evidence.gates[0]);
    const Appraisal& appraisal = evidence.appraise();
    REQUIRE(appraisal.gates.size() == 3);
    CHECK_FALSE(appraisal.gates[0].refusal);
    CHECK(appraisal.gates[2].refusal == AppraisalError::gate_repeated);
}

TEST_CASE("every reason has its own word", "[appraise]") {
    std::set<std::string> seen;
    for (int i = 0; i <= static_cast<int>(attest::last_appraisal_error); ++i) {
        CHECK(seen.insert(name_of(static_cast<AppraisalError>(i))).second);
    }
}

TEST_CASE("texts of reasons are cut, not dropped", "[appraise]") {
    CHECK(attest::text_of(std::uint64_t{UINT64_MAX}).view() == "18446744073709551615");
    CHECK(attest::hex_of(Bytes{0x00, 0xff}).view() == "00ff");
    const auto cut = attest::text_of(std::string(200, 'x'));
    CHECK(cut.view() == std::string(157, 'x') + "...");
    CHECK(attest::hex_of(Bytes(200, 0xab)).view().size() == 160);
}
