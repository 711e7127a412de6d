// SPDX-License-Identifier: Apache-2.0
// Synthetic evidence for appraisal tests: a launch with an agent VM and a driver VM, quoted by a software key. Every
// part can be bent before `appraise()`; what the TPM saw (`tpm_events`) and what the log says (`log_events`) are apart.
#pragma once

#include "attest/appraise/appraisal.hpp"
#include "attest/appraise/firmware_log.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "policy/model/vm_definition.hpp"
#include "tests/unit/policy_sample.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <vector>

namespace casemate::test {

using Bytes = std::vector<std::uint8_t>;
using attest::Appraisal;
using attest::AppraisalError;
using measure::LedgerEntry;
using measure::LedgerKind;
using measure::TPM_ALG_ID;

inline Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

template <std::size_t size>
std::array<std::uint8_t, size> filled_with(std::uint8_t byte) {
    std::array<std::uint8_t, size> bytes;
    bytes.fill(byte);
    return bytes;
}

/// A P-256 key in software that signs as a TPM does.
class SoftwareKey {
public:
    SoftwareKey() : key_{EVP_EC_gen("P-256"), EVP_PKEY_free} {}

    [[nodiscard]] Bytes point() const {
        Bytes sec1(65);
        std::size_t size = 0;
        if (EVP_PKEY_get_octet_string_param(key_.get(), "pub", sec1.data(), sec1.size(), &size) != 1) std::abort();
        return sec1;
    }
    /// TPMT_SIGNATURE, ECDSA with SHA-256.
    [[nodiscard]] Bytes sign(ByteView message) const {
        Bytes der(80);
        std::size_t size = der.size();
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        const bool done = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
                          EVP_DigestSign(context, der.data(), &size, message.data(), message.size()) == 1;
        EVP_MD_CTX_free(context);
        if (!done) std::abort();
        const unsigned char* at = der.data();
        ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
        Bytes wire{0x00, 0x18, 0x00, 0x0b};
        for (const BIGNUM* number : {ECDSA_SIG_get0_r(signature), ECDSA_SIG_get0_s(signature)}) {
            wire.insert(wire.end(), {0x00, 0x20});
            wire.resize(wire.size() + 32);
            BN_bn2binpad(number, &wire[wire.size() - 32], 32);
        }
        ECDSA_SIG_free(signature);
        return wire;
    }

private:
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

struct TestEvent {
    std::uint32_t pcr = 0;
    std::uint32_t type = measure::EV_EVENT_TAG;
    measure::DigestSet digests;
    Bytes data;
};

inline constexpr std::uint32_t all_launch_pcrs = 0x7e0000;

class EvidenceBuilder {
public:
    EvidenceBuilder() {
        for (const auto bank : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384}) add(log_banks, bank);
        for (const auto bank : {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384}) {
            add(expected_banks, bank);
            selection.push_back({bank, all_launch_pcrs});
        }
        for (std::size_t i = 0; i < policy.vm_count; ++i) {
            const policy::ImageDigests images{filled_with<32>(static_cast<std::uint8_t>(0x10 + i)),
                                              filled_with<32>(static_cast<std::uint8_t>(0x20 + i))};
            std::uint8_t buffer[policy::max_vm_definition];
            definitions.push_back(copy(policy::encode_vm_definition(policy.vms[i], images, buffer)));
        }
        accept_this_launch();
        launch();
        for (std::size_t i = 0; i < policy.device_count; ++i) open_gate(i, 1);
        record({.kind = LedgerKind::vm_started, .vm_id = vm_id(0), .start_number = 1});
    }
    EvidenceBuilder(const EvidenceBuilder&) = delete;

    // --- what the reference is
    void accept_this_launch() {
        reference.name = "build";
        reference.slb_length = slb.size();
        reference.slb = measure::hash_all(log_banks, slb);
        reference.hypervisor_size = hypervisor.size();
        reference.hypervisor = measure::hash_all(log_banks, hypervisor);
        reference_owner_key = owner_key;
        reference.owner_key = reference_owner_key;
        reference.policy_size = bundle.size();
        reference.policy_digest = measure::hash_all(log_banks, bundle);
        reference.policy = &policy;
        reference_definitions = definitions;
        for (std::size_t i = 0; i < definitions.size(); ++i) {
            reference_vms.push_back({policy.vms[i].name.view(), reference_definitions[i]});
        }
        reference.vms = reference_vms;
    }

    // --- what happens on the platform
    void event(std::uint32_t pcr, ByteView measured, Bytes data) {
        log_events.push_back({pcr, measure::EV_EVENT_TAG, measure::hash_all(log_banks, measured), std::move(data)});
    }
    void launch() {
        log_events.clear();
        std::uint8_t buffer[measure::launch_event_size];
        event(17, slb, copy(measure::encode(buffer, measure::SlbEvent{static_cast<std::uint32_t>(slb.size())})));
        event(17, hypervisor, copy(measure::encode(buffer, measure::HypervisorEvent{hypervisor.size()})));
        event(18, owner_key, copy(measure::encode(buffer, measure::OwnerKeyEvent{owner_key})));
        event(18, bundle, copy(measure::encode(buffer, measure::PolicyEvent{bundle.size(), logged_epoch})));
        sequence = 0;
        record({.kind = LedgerKind::launched, .launch_id = launch_id, .launch_kind = launch_kind});
        for (const Bytes& definition : definitions) record({.kind = LedgerKind::vm_defined, .definition = definition});
    }
    void record(LedgerEntry entry) {
        entry.sequence = sequence++;
        entry.time_ms = entry.sequence * 10;
        record_as_is(entry);
    }
    void record_as_is(const LedgerEntry& entry) {
        std::uint8_t buffer[measure::max_ledger_event];
        const ByteView data = measure::encode(buffer, entry);
        event(19, data, copy(data));
    }
    measure::GateRequest gate(std::size_t device, std::size_t vm) {
        measure::GateRequest request;
        request.gate_nonce = filled_with<32>(++nonces);
        request.launch_id = launch_id;
        request.vm_id = vm_id(vm);
        request.device = {policy.devices[device].address, 0x8086, 0x10d3, 0, 0, 0x020000};
        request.isolation = {true, true, measure::ResetKind::function_level, request.device.address.requester_id()};
        return request;
    }
    void open_gate(const measure::GateRequest& request) {
        std::uint8_t buffer[measure::max_gate_request];
        gates.push_back(copy(measure::encode(buffer, request)));
        record({.kind = LedgerKind::gate_opened, .gate_request = gates.back()});
    }
    void open_gate(std::size_t device, std::size_t vm) { open_gate(gate(device, vm)); }
    /// From the grant to the running driver VM.
    void assign(std::size_t device, std::size_t vm) {
        const DeviceAddress address = policy.devices[device].address;
        record({.kind = LedgerKind::grant_accepted, .vm_id = vm_id(vm), .device = address, .grant_id = grant_id,
                .lease_seconds = 60});
        record({.kind = LedgerKind::device_reset, .device = address,
                .reset_kind = measure::ResetKind::function_level, .worked = true});
        record({.kind = LedgerKind::assigned, .vm_id = vm_id(vm), .device = address, .grant_id = grant_id});
        record({.kind = LedgerKind::vm_started, .vm_id = vm_id(vm), .start_number = 1});
    }
    [[nodiscard]] measure::VmId vm_id(std::size_t vm) const { return measure::vm_id_of(definitions[vm]); }

    // --- the evidence
    [[nodiscard]] Bytes log() const {
        Bytes buffer(65536);
        const auto header = measure::EventLogWriter::create(buffer, log_banks);
        LittleEndianWriter out{ByteSpan{buffer}.subspan(header.value().log().size())};
        for (const TestEvent& each : log_events) {
            out.u32(each.pcr), out.u32(each.type), out.u32(static_cast<std::uint32_t>(log_banks.size()));
            for (const TPM_ALG_ID bank : log_banks) {
                out.u16(static_cast<std::uint16_t>(bank)), out.bytes(each.digests.find(bank)->view());
            }
            out.u32(static_cast<std::uint32_t>(each.data.size())), out.bytes(each.data);
        }
        buffer.resize(header.value().log().size() + out.size());
        return buffer;
    }
    /// What the TPM would quote after these events.
    [[nodiscard]] measure::LaunchPcrs pcrs(const std::vector<TestEvent>& events) const {
        measure::LaunchPcrs values{log_banks, pcr_start};
        for (const TestEvent& each : events) static_cast<void>(values.extend(each.pcr, each.digests));
        return values;
    }
    [[nodiscard]] Bytes quote(const measure::LaunchPcrs& values) const {
        Bytes buffer(1024);
        BigEndianWriter out{buffer};
        out.u32(magic), out.u16(type);
        out.u16(34), out.bytes(filled_with<34>(0x0b)); // qualifiedSigner
        const auto data = attest::qualifying_data(nonce, launch_id, challenge_id);
        out.u16(32), out.bytes(data);
        out.u64(clock.clock), out.u32(clock.resetCount), out.u32(clock.restartCount), out.u8(clock.safe ? 1 : 0);
        out.u64(0x2019102300163636);
        out.u32(static_cast<std::uint32_t>(selection.size()));
        const attest::FirmwarePcrs firmware = firmware_pcrs.value_or(attest::FirmwarePcrs{log_banks});
        measure::Hasher composite{TPM_ALG_ID::SHA256};
        for (const attest::PcrSelection& each : selection) {
            out.u16(static_cast<std::uint16_t>(each.bank)), out.u8(3);
            for (int octet = 0; octet < 3; ++octet) out.u8(static_cast<std::uint8_t>(each.pcrs >> (8 * octet)));
            for (std::uint32_t pcr = 0; pcr < attest::firmware_pcr_count; ++pcr) {
                if ((each.pcrs >> pcr & 1) != 0) composite.update(firmware.value(each.bank, pcr).view());
            }
            for (std::uint32_t pcr = 17; pcr <= 22; ++pcr) {
                if ((each.pcrs >> pcr & 1) != 0) composite.update(values.value(each.bank, pcr).view());
            }
        }
        out.u16(32), out.bytes(composite.finish().view());
        buffer.resize(out.size());
        return buffer;
    }

    /// The verdict on the evidence as it stands. Without tpm_events the TPM saw what the log says.
    Appraisal& appraise() {
        const Bytes log_bytes = bend_log ? bend_log(log()) : log();
        Bytes attest = quote(pcrs(tpm_events.empty() ? log_events : tpm_events));
        if (bend_quote) bend_quote(attest);
        Bytes signature = signer->sign(attest);
        if (bend_signature) bend_signature(signature);
        const std::vector<ByteView> gate_views(gates.begin(), gates.end());
        const auto enrolled = measure::P256PublicKey::create(key.point());
        const attest::Expectation expectation{enrolled.value(), expected_nonce, expected_challenge,
                                              expected_banks,   previous_clock, references(), rules};
        evidence_log = log_bytes; // Appraisal::log views it
        attest::appraise({attest, signature, evidence_log, gate_views, leases, firmware_log}, expectation, *result);
        return *result;
    }
    [[nodiscard]] std::span<const attest::ReferenceSet> references() const {
        return reference_sets.empty() ? std::span{&reference, 1} : std::span{reference_sets};
    }
    static void add(measure::Banks& banks, TPM_ALG_ID bank) {
        if (!banks.add(bank)) std::abort();
    }

    // --- everything that a test may bend
    Bytes slb = Bytes(4000, 0x51), hypervisor = Bytes(300, 0x52), bundle = Bytes(200, 0x53);
    Bytes owner_key = Bytes(65, 0x04), reference_owner_key; // one key, or a set of owners
    policy::Policy policy = sample_policy();
    std::uint64_t logged_epoch = policy.epoch;
    std::vector<Bytes> definitions;
    measure::LaunchId launch_id = filled_with<32>(0x77);
    launch::LaunchKind launch_kind = launch::LaunchKind::skinit;
    measure::GrantId grant_id = filled_with<16>(0x99);
    std::vector<TestEvent> log_events, tpm_events;
    std::vector<Bytes> gates;
    std::vector<attest::LeaseReport> leases;
    measure::Banks log_banks, expected_banks;
    std::vector<attest::PcrSelection> selection;
    Bytes firmware_log; // empty: not sent
    std::optional<attest::FirmwarePcrs> firmware_pcrs; // for a selection that has PCR 0-7
    std::uint8_t pcr_start = 0x00;

    std::uint32_t magic = attest::TPM_GENERATED_VALUE;
    std::uint16_t type = attest::TPM_ST_ATTEST_QUOTE;
    attest::TPMS_CLOCK_INFO clock{100000, 5, 2, true};
    Bytes nonce = Bytes(32, 0xa5), expected_nonce = nonce;
    std::string challenge_id = "c1", expected_challenge = challenge_id;
    std::optional<attest::TPMS_CLOCK_INFO> previous_clock;
    SoftwareKey key;
    const SoftwareKey* signer = &key;
    void (*bend_quote)(Bytes&) = nullptr;
    void (*bend_signature)(Bytes&) = nullptr;
    Bytes (*bend_log)(Bytes) = nullptr;

    attest::ReferenceSet reference;
    std::vector<attest::ReferenceVm> reference_vms;
    std::vector<Bytes> reference_definitions;
    std::vector<attest::ReferenceSet> reference_sets; // instead of `reference`, when not empty
    attest::ReferenceRules rules;
    std::uint64_t sequence = 0;
    std::uint8_t nonces = 0;
    Bytes evidence_log;
    std::unique_ptr<Appraisal> result = std::make_unique<Appraisal>();
};

} // namespace casemate::test
