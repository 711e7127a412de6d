// SPDX-License-Identifier: Apache-2.0
// Who may not enrol: keys and certificates that do not belong together.
#include "tests/fleet/misbehaviour.hpp"

namespace casemate::fleet {
namespace {

using verifier::to_base64;

Task<std::string> offered(Player& player, Json offer) {
    const Reply reply = co_await player.begin_enrolment(std::move(offer));
    co_return reply.word();
}

Task<std::string> foreign_authority(Player& player, Player&) {
    const Authority foreign;
    Json offer = player.platform().offer();
    offer["ek_certificate"] = to_base64(foreign.certify(player.platform().tpm().ek()));
    return offered(player, std::move(offer));
}

Task<std::string> with_fault(Player& player, CertificateFault fault) {
    Json offer = player.platform().offer();
    offer["ek_certificate"] = to_base64(player.stage().authority.certify(player.platform().tpm().ek(), fault));
    return offered(player, std::move(offer));
}
Task<std::string> expired_certificate(Player& player, Player&) { return with_fault(player, CertificateFault::expired); }
Task<std::string> no_purpose(Player& player, Player&) { return with_fault(player, CertificateFault::no_purpose); }

Task<std::string> others_certificate(Player& player, Player& other) {
    Json offer = player.platform().offer();
    offer["ek_certificate"] = other.platform().offer().at("ek_certificate");
    return offered(player, std::move(offer));
}

std::string guessed_secret() { return Json{{"secret", to_base64(Bytes(32, 0))}}.dump(); }

/// The genuine EK of another TPM with a key of one's own: only that TPM can release the secret.
Task<std::string> ak_of_another_tpm(Player& player, Player& other) {
    Json offer = other.platform().offer();
    offer["ak_public"] = player.platform().offer().at("ak_public");
    const Reply begun = co_await player.begin_enrolment(std::move(offer));
    if (begun.status != 200) co_return begun.word();
    const std::string path = "/v1/enrolments/" + begun.body.at("enrolment_id").get<std::string>() + "/activation";
    if (other.platform().activation(begun.body) || player.platform().activation(begun.body)) co_return "released";
    HttpCall guess{"POST", path, "", guessed_secret()};
    const Reply guessed = co_await player.call(std::move(guess));
    co_return guessed.word();
}

Task<std::string> unrestricted_ak(Player& player, Player&) {
    Json offer = player.platform().offer();
    Bytes ak = player.platform().tpm().ak_public();
    ak[7] ^= 1; // TPMA_OBJECT restricted, behind size, type and nameAlg
    offer["ak_public"] = to_base64(ak);
    return offered(player, std::move(offer));
}

Task<std::string> own_ek_template(Player& player, Player&) {
    Json offer = player.platform().offer();
    Bytes ek = player.platform().tpm().ek_public();
    ek[9] ^= 0x40; // TPMA_OBJECT userWithAuth
    offer["ek_public"] = to_base64(ek);
    return offered(player, std::move(offer));
}

/// After a TPM was taken over: the same EK, another AK, and no operator has allowed it.
Task<std::string> second_ak(Player& player, Player&) {
    SoftwareTpm other{EkKind::ecc_p256};
    player.platform().tpm().exchange_aks(other);
    const Reply reply = co_await player.enrol();
    player.platform().tpm().exchange_aks(other);
    co_return reply.word();
}

constexpr Misbehaviour table[] = {
    {"ek-certificate-of-foreign-authority", "ek_certificate_path", false, foreign_authority},
    {"ek-certificate-expired", "ek_certificate_path", false, expired_certificate},
    {"ek-certificate-for-other-purpose", "ek_certificate_purpose", false, no_purpose},
    {"ek-certificate-of-another", "ek_certificate_other_key", false, others_certificate},
    {"ek-of-own-template", "ek_template", false, own_ek_template},
    {"ak-unrestricted", "ak_attributes", false, unrestricted_ak},
    {"ak-beside-a-stolen-ek", "secret_wrong", false, ak_of_another_tpm},
    {"ak-replaced", "identity_bound", true, second_ak},
};

} // namespace

std::span<const Misbehaviour> enrolment_misbehaviours() { return table; }

} // namespace casemate::fleet
