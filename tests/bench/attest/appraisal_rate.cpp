// SPDX-License-Identifier: Apache-2.0
// See appraisal_rate.hpp.
#include "tests/bench/attest/appraisal_rate.hpp"

#include "attest/verifier/reference_set.hpp"
#include "attest/verifier/tpm_public.hpp"
#include "tests/bench/attest/verification_rate.hpp"
#include "tests/fleet/virtual_platform.hpp"

namespace casemate::bench::attest {
namespace {

using casemate::attest::Appraisal;
using fleet::Bytes;
using verifier::Json;

constexpr int slices = 8; // of each
constexpr std::size_t log_size = 15'000;

/// Grants without a verifier: what the platform would hold.
std::vector<fleet::HeldGrant> grants_for(const fleet::LaunchState& launch) {
    std::vector<fleet::HeldGrant> grants;
    for (const Bytes& gate : launch.gates) {
        const auto request = measure::parse_gate_request(gate);
        fleet::HeldGrant held;
        held.claims.id[0] = static_cast<std::uint8_t>(grants.size() + 1);
        held.claims.launch_id = launch.launch_id;
        held.claims.gate_nonce = request->gate_nonce;
        held.claims.vm_id = request->vm_id;
        held.claims.device = request->device.address;
        held.claims.lease = 60;
        grants.push_back(held);
    }
    return grants;
}

/// The platform when its log has reached that size.
fleet::LaunchState long_running(fleet::LaunchModel& model, const measure::LaunchId& id) {
    const std::vector<fleet::HeldGrant> grants = grants_for(model.launched(id));
    for (std::uint32_t restarts = 1;; ++restarts)
        if (fleet::LaunchState launch = model.running(id, grants, restarts); launch.log.size() >= log_size) return launch;
}

/// Evidence of such a platform.
struct Sample {
    Sample(fleet::Materials& materials, const measure::Banks& quoted) : banks{quoted}, launch{long_running(materials.model(), id)} {
        const auto ak = verifier::parse_attestation_key(tpm.ak_public());
        key = measure::P256PublicKey::create(ak.value().point).value();
        fleet::QuoteFields fields{.qualifying_data = verifier::to_bytes(casemate::attest::qualifying_data(nonce, id, "challenge")),
                                  .clock = {100'000, 5, 2, true}, .selection = {}};
        for (const measure::TPM_ALG_ID bank : banks) fields.selection.push_back({bank, fleet::launch_pcr_mask});
        quote = fleet::encode(fields, launch.pcrs);
        signature = tpm.sign(quote);
    }
    [[nodiscard]] casemate::attest::EvidenceBundle evidence() const { return {quote, signature, launch.log, {}, launch.leases}; }

    const measure::LaunchId id{0x11};
    const measure::Banks banks;
    const fleet::SoftwareTpm tpm{fleet::EkKind::ecc_p256};
    const Bytes nonce = Bytes(32, 0x7e);
    const fleet::LaunchState launch;
    std::optional<measure::P256PublicKey> key;
    Bytes quote, signature;
};

/// Appraisals and verifications in turn, on this thread.
void measure_sample(const Sample& sample, const casemate::attest::ReferenceSet& set, const std::string& name, Values& values) {
    const std::array sets{set};
    const casemate::attest::EvidenceBundle evidence = sample.evidence();
    const auto appraisal = std::make_unique<Appraisal>();
    const auto appraise = [&] {
        casemate::attest::appraise(evidence, {*sample.key, sample.nonce, "challenge", sample.banks, std::nullopt, sets}, *appraisal);
        if (appraisal->verdict != casemate::attest::Verdict::affirming) throw std::runtime_error("the bench's evidence is refused");
    };
    const Verification verify;
    Account appraisals, verifications;
    for (int i = 0; i < slices; ++i) {
        verifications.spend_slice(verify);
        appraisals.spend_slice(appraise);
    }
    values[name].push_back(appraisals.rate());
    values[name + "_verify"].push_back(verifications.rate());
    values[name + "_ratio"].push_back(appraisals.rate() / verifications.rate());
}

measure::Banks only_sha256() {
    measure::Banks banks;
    (void)banks.add(measure::TPM_ALG_ID::SHA256);
    return banks;
}

} // namespace

void measure_appraisal(fleet::Materials& materials, Values& values) {
    const auto reference = verifier::LoadedReference::load("bench", Json::parse(materials.model().reference().dump()), materials.grant_key().sec1());
    if (!reference) throw std::runtime_error("the bench's reference is refused: " + reference.error().detail);
    const measure::Banks logged = materials.model().log_in(only_sha256());
    const Sample one{materials, only_sha256()};
    (void)materials.model().log_in(logged);
    const Sample two{materials, fleet::LaunchModel::banks()};
    measure_sample(one, reference.value()->set(), "appraisal", values);
    measure_sample(two, reference.value()->set(), "appraisal_two_banks", values);
}

} // namespace casemate::bench::attest
