// SPDX-License-Identifier: Apache-2.0
// The fleet's software TPM and certificates against the verifier's own checks.
#include <catch2/catch.hpp>

#include "attest/verifier/credential.hpp"
#include "attest/verifier/ek_certificate.hpp"
#include "tests/fleet/authority.hpp"
#include "tests/fleet/software_tpm.hpp"
#include "tests/unit/verifier_scratch.hpp"

using namespace casemate;
using namespace casemate::fleet;

TEST_CASE("a software TPM has keys that the verifier takes, and releases what was made for them alone", "[fleet]") {
    const EkKind kind = GENERATE(EkKind::rsa2048, EkKind::ecc_p256);
    SoftwareTpm tpm{kind};
    const auto ek = verifier::parse_endorsement_key(tpm.ek_public());
    const auto ak = verifier::parse_attestation_key(tpm.ak_public());
    REQUIRE(ek.ok());
    REQUIRE(ak.ok());
    const Bytes secret(32, 0x42);
    const verifier::Credential credential = verifier::make_credential(ek.value(), ak.value().name(), secret);
    CHECK(tpm.activate(credential.blob, credential.encrypted_secret) == secret);

    Bytes bent = credential.blob;
    bent.back() ^= 1;
    CHECK_FALSE(tpm.activate(bent, credential.encrypted_secret));
    bent = credential.encrypted_secret;
    bent.back() ^= 1;
    CHECK_FALSE(tpm.activate(credential.blob, bent));
    CHECK_FALSE(tpm.activate(ByteView{credential.blob}.first(3), credential.encrypted_secret));
    SoftwareTpm other{EkKind::ecc_p256};
    tpm.exchange_aks(other);
    CHECK_FALSE(tpm.activate(credential.blob, credential.encrypted_secret));
}

TEST_CASE("the fleet's EK certificates pass the verifier's checks, but for the one thing that is wrong with them", "[fleet]") {
    using Why = verifier::CertificateRefusal::Why;
    const test::ScratchDirectory scratch;
    const Authority authority;
    authority.write(scratch / "ca.pem", scratch / "ca.key");
    verifier::EkAuthorities trusted;
    trusted.add(scratch / "ca.pem");
    const SoftwareTpm tpm{EkKind::ecc_p256}, other{EkKind::ecc_p256};
    CHECK(trusted.check(authority.certify(tpm.ek()), tpm.ek()).ok());
    CHECK(trusted.check(Authority{scratch / "ca.pem", scratch / "ca.key"}.certify(tpm.ek()), tpm.ek()).ok());
    CHECK(trusted.check(authority.certify(tpm.ek()), other.ek()).error().why == Why::other_key);
    CHECK(trusted.check(authority.certify(tpm.ek(), CertificateFault::expired), tpm.ek()).error().why == Why::chain);
    CHECK(trusted.check(authority.certify(tpm.ek(), CertificateFault::no_purpose), tpm.ek()).error().why == Why::purpose);
    CHECK(trusted.check(Authority{}.certify(tpm.ek()), tpm.ek()).error().why == Why::chain);
}
