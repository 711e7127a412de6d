// SPDX-License-Identifier: Apache-2.0
// See virtual_platform.hpp.
#include "tests/fleet/virtual_platform.hpp"

namespace casemate::fleet {
namespace {

using verifier::from_base64;
using verifier::to_base64;

constexpr std::uint64_t second = 1000;

measure::LaunchId new_launch_id() {
    measure::LaunchId id{};
    const Bytes random = verifier::random_bytes(id.size());
    std::copy(random.begin(), random.end(), id.begin());
    return id;
}

Json bank_names() {
    Json names = Json::array();
    for (const measure::TPM_ALG_ID bank : LaunchModel::banks()) names.push_back(measure::name_of(bank));
    return names;
}

} // namespace

VirtualPlatform::VirtualPlatform(EkKind kind, const Authority& authority, LaunchModel& model)
    : tpm_{kind}, certificate_{authority.certify(tpm_.ek())}, model_{model}, launch_{model.launched(new_launch_id())} {
    arrive(std::move(launch_));
}

void VirtualPlatform::arrive(LaunchState state) {
    launch_ = std::move(state);
    tail_ = encode_tail(launch_.log, launch_.gates, launch_.leases);
}

void VirtualPlatform::relaunch() {
    held_.clear();
    arrive(model_.launched(new_launch_id()));
    clock.resetCount += 1;
}

Json VirtualPlatform::offer() const {
    return {{"ek_certificate", to_base64(certificate_)},
            {"ek_public", to_base64(tpm_.ek_public())},
            {"ak_public", to_base64(tpm_.ak_public())},
            {"banks", bank_names()}};
}

std::optional<Json> VirtualPlatform::activation(const Json& begun) const {
    const auto blob = from_base64(begun.at("credential_blob").get<std::string>());
    const auto encrypted = from_base64(begun.at("encrypted_secret").get<std::string>());
    if (!blob || !encrypted) return std::nullopt;
    const std::optional<Bytes> secret = tpm_.activate(*blob, *encrypted);
    if (!secret) return std::nullopt;
    return Json{{"secret", to_base64(*secret)}};
}

void VirtualPlatform::enrolled(const Json& activated) {
    id_ = activated.at("platform_id");
    token_ = activated.at("token");
}

QuoteFields VirtualPlatform::quote_fields(const Challenge& challenge) const {
    QuoteFields fields;
    fields.qualifying_data = verifier::to_bytes(attest::qualifying_data(challenge.nonce, launch_.launch_id, challenge.id));
    fields.clock = clock;
    fields.selection = whole_selection();
    return fields;
}

Evidence VirtualPlatform::evidence(const Challenge& challenge) {
    clock.clock += second;
    const Bytes quote = encode(quote_fields(challenge), launch_.pcrs);
    return {challenge.id, quote, tpm_.sign(quote), launch_.log, launch_.gates, launch_.leases};
}

std::string VirtualPlatform::evidence_body(const Challenge& challenge) {
    clock.clock += second;
    const Bytes quote = encode(quote_fields(challenge), launch_.pcrs);
    return encode_body(challenge.id, quote, tpm_.sign(quote), tail_);
}

bool VirtualPlatform::take(const Json& answer, const measure::P256PublicKey& grant_key, std::uint32_t restarts) {
    bool granted = false;
    for (const Json& text : answer.at("grants")) {
        const std::optional<Bytes> message = from_base64(text.get<std::string>());
        if (!message) return false;
        const auto verified = grant::verify(*message, grant_key);
        if (!verified || verified.value().claims().launch_id != launch_.launch_id) return false;
        if (verified.value().claims().type == grant::Type::renewal) {
            ++renewals_;
            continue;
        }
        held_.push_back({verified.value().claims(), measure::sha256(*message)});
        granted = true;
    }
    if (granted) arrive(model_.running(launch_.launch_id, held_, restarts));
    return true;
}

} // namespace casemate::fleet
