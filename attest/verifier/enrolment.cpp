// SPDX-License-Identifier: Apache-2.0
// See enrolment.hpp.
#include "attest/verifier/enrolment.hpp"

#include <algorithm>

#include "attest/verifier/credential.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/log.hpp"
#include "attest/verifier/tpm_public.hpp"

namespace casemate::verifier {

struct EnrolmentKeys {
    EndorsementKey ek;
    AttestationKey ak;
};

namespace {

constexpr std::size_t max_public = 1024;
constexpr std::size_t max_certificate = 16 * 1024;
constexpr std::size_t secret_size = 32;

const char* word(KeyError error) {
    switch (error) {
    case KeyError::malformed: return "malformed";
    case KeyError::template_unknown: return "template";
    case KeyError::attributes: return "attributes";
    case KeyError::point: return "point";
    }
    return "malformed";
}

const char* word(CertificateRefusal::Why why) {
    switch (why) {
    case CertificateRefusal::Why::malformed: return "ek_certificate_malformed";
    case CertificateRefusal::Why::no_authority: return "ek_authority_missing";
    case CertificateRefusal::Why::chain: return "ek_certificate_path";
    case CertificateRefusal::Why::purpose: return "ek_certificate_purpose";
    case CertificateRefusal::Why::other_key: return "ek_certificate_other_key";
    }
    return "ek_certificate_malformed";
}

/// The platform's active PCR banks; sha256 must be among them, since every reference has it.
Result<std::string, ApiError> banks_of(const Json& body) {
    if (!body.contains("banks")) return std::string{"sha256"};
    const Json& banks = body["banks"];
    std::string joined;
    for (const char* known : {"sha1", "sha256", "sha384", "sha512"})
        if (banks.is_array() && std::count(banks.begin(), banks.end(), known) == 1)
            joined += (joined.empty() ? "" : ",") + std::string(known);
    const auto listed = static_cast<std::size_t>(std::count(joined.begin(), joined.end(), ',')) + 1;
    if (!banks.is_array() || listed != banks.size() || joined.find("sha256") == std::string::npos)
        return refuse(400, "banks", "\"banks\" must list different banks of sha1, sha256, sha384, sha512, with sha256");
    return joined;
}

Result<EnrolmentKeys, ApiError> read_keys(const Json& body) {
    const Bytes ek_public = TRY(bytes_member(body, "ek_public", max_public));
    const Bytes ak_public = TRY(bytes_member(body, "ak_public", max_public));
    Result<EndorsementKey, KeyError> ek = parse_endorsement_key(ek_public);
    if (!ek) return refuse(400, std::string("ek_") + word(ek.error()), "the EK is not a default RSA-2048 or P-256 EK");
    Result<AttestationKey, KeyError> ak = parse_attestation_key(ak_public);
    if (!ak)
        return refuse(400, std::string("ak_") + word(ak.error()),
                      "the AK must be P-256, ECDSA with SHA-256, restricted, fixed to its TPM and made in it");
    return EnrolmentKeys{std::move(ek).value(), std::move(ak).value()};
}

} // namespace

Result<store::Enrolment, ApiError> Enrolment::check(const Json& body, EnrolmentKeys& keys) const {
    Bytes certificate;
    if (body.contains("ek_certificate")) certificate = TRY(bytes_member(body, "ek_certificate", max_certificate));
    const std::string banks = TRY(banks_of(body));
    keys = TRY(read_keys(body));
    TRY(check_genuine(certificate, keys.ek));
    TRY(check_standing(to_hex(keys.ek.platform_id())));
    store::Enrolment enrolment;
    enrolment.id = to_hex(random_bytes(16));
    enrolment.identity = {to_hex(keys.ek.platform_id()), keys.ek.area, keys.ak.area, certificate, banks};
    enrolment.expires_at = context_.now() + context_.settings.enrolment_lifetime;
    return enrolment;
}

Status<ApiError> Enrolment::check_genuine(const Bytes& certificate, const EndorsementKey& ek) const {
    if (certificate.empty()) {
        const auto listed = context_.store.inventory_entry(to_hex(ek.platform_id()));
        if (listed && listed->without_certificate) return Done{};
        return refuse(403, "ek_certificate_missing",
                      "platform " + to_hex(ek.platform_id()) + " has no EK certificate: an owner must approve it");
    }
    const Status<CertificateRefusal> genuine = authorities_.check(certificate, *ek.key);
    if (!genuine) return refuse(403, word(genuine.error().why), genuine.error().detail);
    return Done{};
}

Status<ApiError> Enrolment::check_standing(const std::string& platform_id) const {
    const auto platform = context_.store.platform(platform_id);
    if (platform && platform->state == "retired") return refuse(403, "platform_retired", "this platform was retired");
    if (!context_.settings.inventory_only || context_.store.inventory_entry(platform_id)) return Done{};
    return refuse(403, "not_in_inventory", "platform " + platform_id + " is not in the inventory: an owner must list it");
}

Answer Enrolment::begin(const Json& body) const {
    EnrolmentKeys keys;
    Result<store::Enrolment, ApiError> checked = check(body, keys);
    if (!checked) {
        context_.audit("verifier", "enrol", "", "refused", checked.error().code + ": " + checked.error().detail);
        return Failure{checked.error()};
    }
    store::Enrolment& enrolment = checked.value();
    const Bytes secret = random_bytes(secret_size);
    const Credential credential = make_credential(keys.ek, keys.ak.name(), secret);
    enrolment.secret_hash = to_bytes(sha256(secret));
    context_.store.add_enrolment(enrolment, context_.now());
    return Json{{"enrolment_id", enrolment.id},
                {"credential_blob", to_base64(credential.blob)},
                {"encrypted_secret", to_base64(credential.encrypted_secret)}};
}

Answer Enrolment::activate(std::string_view enrolment_id, const Json& body) const {
    const Bytes secret = TRY(bytes_member(body, "secret", secret_size));
    // Taken before it is judged: a wrong guess costs a new enrolment.
    const std::optional<store::Enrolment> enrolment = context_.store.take_enrolment(enrolment_id, context_.now());
    if (!enrolment) return refuse(404, "enrolment_unknown", "no such enrolment, or it expired or was used");
    if (!equal(sha256(secret), enrolment->secret_hash)) {
        context_.audit("verifier", "activate", enrolment->identity.platform_id, "refused", "secret_wrong");
        return refuse(403, "secret_wrong", "this is not the secret of the credential");
    }
    return bind(*enrolment);
}

Answer Enrolment::bind(const store::Enrolment& enrolment) const {
    const std::string token = to_hex(random_bytes(32));
    store::Platform platform;
    platform.identity = enrolment.identity;
    platform.token_hash = to_bytes(sha256(as_bytes(token)));
    platform.enrolled_at = context_.now();
    platform.token_expires_at = platform.enrolled_at + context_.settings.token_lifetime;
    const std::string& id = platform.identity.platform_id;
    const auto unit = context_.store.begin();
    context_.store.hold_platform(id);
    const Status<ApiError> standing = check_standing(id); // it may have changed meanwhile
    if (!standing) {
        context_.audit(id, "activate", id, "refused", standing.error().code);
        unit->commit();
        return Failure{standing.error()};
    }
    const bool bound = context_.store.bind_platform(platform) == store::BindOutcome::bound;
    context_.audit(id, "activate", id, bound ? "done" : "refused", bound ? "" : "identity_bound");
    unit->commit();
    if (!bound) {
        return refuse(409, "identity_bound", "the platform is bound to another AK or other banks; an operator must "
                                             "allow the change");
    }
    log(LogLevel::info, "enrolled", {{"platform", id}, {"banks", platform.identity.banks}});
    return Json{{"platform_id", id}, {"token", token}};
}

} // namespace casemate::verifier
