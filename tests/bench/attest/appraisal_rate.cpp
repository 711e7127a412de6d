// SPDX-License-Identifier: Apache-2.0
// See appraisal_rate.hpp.
#include "tests/bench/attest/appraisal_rate.hpp"

#include <chrono>

#include "attest/verifier/reference_set.hpp"
#include "attest/verifier/tpm_public.hpp"
#include "tests/fleet/virtual_platform.hpp"

namespace casemate::bench::attest {
namespace {

using casemate::attest::Appraisal;
using fleet::Bytes;
using verifier::Json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds slice{250};
constexpr int slices = 8; // of each
constexpr int at_once = 64; // between two looks at the clock

/// Work and the time that it took.
struct Account {
    double count = 0;
    double seconds = 0;
    template <typename Work>
    void spend_slice(const Work& work) {
        const Clock::time_point start = Clock::now();
        Clock::time_point now = start;
        for (; now < start + slice; now = Clock::now(), count += at_once)
            for (int i = 0; i < at_once; ++i) work();
        seconds += std::chrono::duration<double>(now - start).count();
    }
    [[nodiscard]] double rate() const { return count / seconds; }
};

/// What `openssl speed ecdsap256` does: one prepared context, one signature.
class Verification {
public:
    Verification() : context_{EVP_PKEY_CTX_new(key_.get(), nullptr)} {
        const verifier::KeyContext signer{EVP_PKEY_CTX_new(key_.get(), nullptr)};
        verifier::require(EVP_PKEY_sign_init(signer.get()) == 1 &&
                              EVP_PKEY_sign(signer.get(), signature_.data(), &size_, digest_.data(), digest_.size()) == 1 &&
                              EVP_PKEY_verify_init(context_.get()) == 1, "a signature to verify");
    }
    void operator()() const {
        verifier::require(EVP_PKEY_verify(context_.get(), signature_.data(), size_, digest_.data(), digest_.size()) == 1, "verify");
    }

private:
    const verifier::PublicKey key_{EVP_EC_gen("P-256")};
    const verifier::KeyContext context_;
    const Bytes digest_ = Bytes(32, 0x5a);
    Bytes signature_ = Bytes(80);
    std::size_t size_ = 80;
};

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

} // namespace

void measure_appraisal(fleet::Materials& materials, std::uint32_t restarts, Values& values) {
    const auto reference = verifier::LoadedReference::load("bench", Json::parse(materials.model().reference().dump()), materials.grant_key().sec1());
    if (!reference) throw std::runtime_error("the bench's reference is refused: " + reference.error().detail);
    const measure::LaunchId id{0x11};
    const fleet::LaunchState launch =
        materials.model().running(id, grants_for(materials.model().launched(id)), restarts);
    const fleet::SoftwareTpm tpm{fleet::EkKind::ecc_p256};
    const auto ak = verifier::parse_attestation_key(tpm.ak_public());
    const auto key = measure::P256PublicKey::create(ak.value().point);
    const Bytes nonce(32, 0x7e);
    const fleet::QuoteFields fields{.qualifying_data = verifier::to_bytes(casemate::attest::qualifying_data(nonce, id, "challenge")),
                                    .clock = {100'000, 5, 2, true}, .selection = fleet::whole_selection()};
    const Bytes quote = fleet::encode(fields, launch.pcrs);
    const Bytes signature = tpm.sign(quote);
    const casemate::attest::EvidenceBundle evidence{quote, signature, launch.log, {}, launch.leases};
    const std::array sets{reference.value()->set()};
    const auto appraisal = std::make_unique<Appraisal>();
    const auto appraise = [&] {
        casemate::attest::appraise(evidence, {key.value(), nonce, "challenge", fleet::LaunchModel::banks(), std::nullopt, sets}, *appraisal);
        if (appraisal->verdict != casemate::attest::Verdict::affirming) throw std::runtime_error("the bench's evidence is refused");
    };
    const Verification verify;
    Account appraisals, verifications;
    for (int i = 0; i < slices; ++i) {
        verifications.spend_slice(verify);
        appraisals.spend_slice(appraise);
    }
    values["appraisal"].push_back(appraisals.rate());
    values["appraisal_verify"].push_back(verifications.rate());
    values["appraisal_ratio"].push_back(appraisals.rate() / verifications.rate());
}

} // namespace casemate::bench::attest
