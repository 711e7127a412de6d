// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/measured_launch.hpp"

#include "dlaunch/measure/launch_events.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"

#include <algorithm>
#include <cstring>

namespace casemate::slb {

namespace {

using launch::BootInfo;
using launch::LaunchKind;
using measure::Banks;
using measure::Digest;
using measure::EventLogWriter;

/// SKINIT resets PCR 17 and extends it; without SKINIT it holds FF.. since power-on [TCG-PTP 4.6.2]. All banks
/// must tell the same story. Not proof, only a hint for the console: the proof is the quote.
Result<LaunchKind, LaunchFailure> launch_kind(Tpm& tpm, const Banks& banks) {
    std::size_t untouched = 0;
    for (const measure::TPM_ALG_ID bank : banks) {
        const Digest value = TRY(tpm.read(bank, measure::pcr_launch));
        if (value == Digest::filled(bank, 0x00)) return Failure{LaunchFailure::tpm_pcr_state};
        if (value == Digest::filled(bank, 0xff)) ++untouched;
    }
    if (untouched == 0) return LaunchKind::skinit;
    if (untouched == banks.size()) return LaunchKind::unmeasured;
    return Failure{LaunchFailure::tpm_pcr_state};
}

Status<LaunchFailure> append(EventLogWriter& log, std::uint32_t pcr, const measure::DigestSet& digests, ByteView data) {
    if (!log.append(pcr, digests, data).ok()) return Failure{LaunchFailure::log_full};
    return Done{};
}

template <typename Event>
Status<LaunchFailure> record(EventLogWriter& log, std::uint32_t pcr, const measure::DigestSet& digests, const Event& event) {
    std::array<std::uint8_t, measure::launch_event_size> data;
    return append(log, pcr, digests, measure::encode(data, event));
}

Status<LaunchFailure> measure_hypervisor(Tpm& tpm, EventLogWriter& log, const LaunchMaterial& material) {
    const Banks& banks = log.banks();
    // SKINIT has extended this one.
    const auto slb_length = static_cast<std::uint32_t>(material.slb.size());
    TRY(record(log, measure::pcr_launch, measure::hash_all(banks, material.slb), measure::SlbEvent{slb_length}));
    const measure::DigestSet hypervisor = measure::hash_all(banks, material.hypervisor);
    TRY(tpm.extend(measure::pcr_launch, hypervisor));
    return record(log, measure::pcr_launch, hypervisor, measure::HypervisorEvent{material.hypervisor.size()});
}

/// Hashes the raw bundle first; only then looks for the owners in it. The epoch is read once the signatures are good.
Status<LaunchFailure> measure_authority(Tpm& tpm, EventLogWriter& log, const LaunchMaterial& material, BootInfo& info) {
    const Banks& banks = log.banks();
    const measure::DigestSet raw = measure::hash_all(banks, material.policy);
    const auto bundle = policy::open_bundle(material.policy);
    if (!bundle.ok()) return Failure{LaunchFailure::policy_form};
    const measure::OwnerKeyEvent owner{bundle.value().owners.bytes()};
    const measure::DigestSet key = measure::hash_all(banks, owner.key);
    TRY(tpm.extend(measure::pcr_authority, key));
    TRY(record(log, measure::pcr_authority, key, owner));
    TRY(tpm.extend(measure::pcr_authority, raw));
    const auto verified = policy::verify_bundle(bundle.value());
    if (!verified.ok()) return Failure{verified.error() == policy::BundleError::threshold ? LaunchFailure::policy_threshold : LaunchFailure::policy_signature};
    const ByteView payload = bundle.value().payload();
    const auto epoch = policy::read_epoch(payload);
    if (!epoch.ok()) return Failure{LaunchFailure::policy_form};
    TRY(record(log, measure::pcr_authority, raw, measure::PolicyEvent{material.policy.size(), epoch.value()}));
    info.policy = {reinterpret_cast<std::uint64_t>(payload.data()), payload.size()};
    std::ranges::copy(bundle.value().owners.approval_key(), info.owner_key);
    return Done{};
}

} // namespace

Status<LaunchFailure> measure_launch(Tpm& tpm, const LaunchMaterial& material, BootInfo& info) {
    TRY(tpm.take_locality());
    const Banks banks = TRY(tpm.active_banks());
    info.kind = TRY(launch_kind(tpm, banks));
    for (const measure::TPM_ALG_ID bank : banks) info.tpm_banks[info.tpm_bank_count++] = static_cast<std::uint16_t>(bank);
    auto log = EventLogWriter::create(material.log, banks);
    if (!log.ok()) return Failure{LaunchFailure::log_full};
    TRY(measure_hypervisor(tpm, log.value(), material));
    TRY(measure_authority(tpm, log.value(), material, info));
    info.log_used = log.value().log().size();
    std::ranges::copy(measure::sha256(material.policy), info.policy_digest);
    tpm.release_locality();
    return Done{};
}

} // namespace casemate::slb
