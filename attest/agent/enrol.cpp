// SPDX-License-Identifier: Apache-2.0
// Enrolment: Protocol's first conversation with the verifier.
#include "attest/agent/console.hpp"
#include "attest/agent/json_fields.hpp"
#include "attest/agent/protocol.hpp"
#include "attest/relay/encoding.hpp"

#include <algorithm>

namespace casemate::agent {
namespace {

/// Ids go into request paths: nothing but letters, digits, '-' and '_'.
Outcome<std::string> identifier_field(const Json& object, const char* name) {
    std::string id = TRY(text_field(object, name));
    const auto allowed = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    };
    if (id.empty() || id.size() > 128 || !std::all_of(id.begin(), id.end(), allowed))
        return fail(std::string{"the verifier's answer has a bad \""} + name + "\"");
    return id;
}

/// The active PCR banks as the verifier names them; one that it cannot know is left out, and it will say so.
Json bank_names(const std::vector<std::uint16_t>& banks) {
    Json names = Json::array();
    for (const auto& [algorithm, name] : {std::pair{0x0004, "sha1"}, {0x000B, "sha256"}, {0x000C, "sha384"}, {0x000D, "sha512"}})
        if (std::find(banks.begin(), banks.end(), algorithm) != banks.end()) names.push_back(name);
    return names;
}

} // namespace

Outcome<Done> Protocol::enrol() {
    if (!ek_) ek_ = TRY(tpm_.endorsement_key());
    if (!ak_) ak_ = TRY(tpm_.attestation_key());
    token_.clear();
    const Info info = TRY(hypervisor_.info());
    const Json offer = TRY(call("POST", "/v1/enrolments",
                                {{"ek_certificate", relay::to_base64(ek_->certificate)},
                                 {"ek_public", relay::to_base64(ek_->public_area)},
                                 {"ak_public", relay::to_base64(ak_->public_area)},
                                 {"banks", bank_names(info.banks)}}));
    const std::string id = TRY(identifier_field(offer, "enrolment_id"));
    const Bytes blob = TRY(base64_field(offer, "credential_blob"));
    const Bytes encrypted_secret = TRY(base64_field(offer, "encrypted_secret"));
    const Bytes secret = TRY(tpm_.activate(*ek_, *ak_, blob, encrypted_secret));
    const Json result =
        TRY(call("POST", "/v1/enrolments/" + id + "/activation", {{"secret", relay::to_base64(secret)}}));
    standing_.platform_id = TRY(identifier_field(result, "platform_id"));
    token_ = TRY(text_field(result, "token"));
    say("enrolled platform=" + standing_.platform_id);
    return Done{};
}

} // namespace casemate::agent
