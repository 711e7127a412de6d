// SPDX-License-Identifier: Apache-2.0
// What a stranger may enrol with: EK certificate, EK and AK as TPM2B_PUBLIC. From bytes alone, or from good samples with
// some bytes changed. A certificate that the authority did not sign never passes; a key that parses stands in its area.
#include "attest/verifier/credential.hpp"
#include "attest/verifier/ek_certificate.hpp"
#include "tests/unit/hex.hpp"
#include "tests/unit/verifier_server.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

// The generator of P-256 [SEC2 2.4.2] as the point of both sample keys.
const std::string point = "0020 6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                          "0020 4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const Bytes ek = from_hex("007a 0023 000b 000300b2 0020 837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
                          "0006 0080 0043 0010 0003 0010" + point);
const Bytes ak = from_hex("0058 0023 000b 00050072 0000 0010 0018 000b 0003 0010" + point);

/// A self-signed authority, which is a sample of a certificate too.
struct Authority {
    ScratchDirectory directory;
    verifier::EkAuthorities authorities;
    Bytes der;
    Authority() {
        make_tls_files(directory);
        authorities.add(directory / "tls.pem");
        std::FILE* file = std::fopen((directory / "tls.pem").c_str(), "r");
        const verifier::Certificate certificate{PEM_read_X509(file, nullptr, nullptr, nullptr)};
        std::fclose(file);
        der.resize(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
        unsigned char* at = der.data();
        i2d_X509(certificate.get(), &at);
    }
};

/// The sample with bytes changed: offset (2), value (1), again and again; a last lone byte cuts so many bytes off.
Bytes changed(Bytes sample, ByteView changes) {
    while (changes.size() >= 3) {
        sample[(std::size_t{changes[0]} << 8 | changes[1]) % sample.size()] ^= changes[2];
        changes = changes.subspan(3);
    }
    if (!changes.empty()) sample.resize(sample.size() - changes[0] % sample.size());
    return sample;
}

bool ends_with(ByteView whole, ByteView end) {
    return whole.size() == end.size() + 2 && equal(whole.subspan(2), end); // behind the TPM2B's size
}

void try_ek(ByteView bytes) {
    const auto key = verifier::parse_endorsement_key(bytes);
    if (!key.ok()) return;
    if (!ends_with(bytes, key.value().area) || !key.value().key) std::abort();
    if (key.value().kind != verifier::EndorsementKey::Kind::ecc_p256) return;
    const Bytes secret(32, 1), name(34, 2);
    if (verifier::make_credential(key.value(), name, secret).blob.empty()) std::abort();
}

void try_ak(ByteView bytes) {
    const auto key = verifier::parse_attestation_key(bytes);
    if (key.ok() && (!ends_with(bytes, key.value().area) || key.value().name().size() != 34)) std::abort();
}

void try_certificate(const Authority& authority, ByteView bytes) {
    static const auto key = verifier::parse_endorsement_key(ek);
    if (authority.authorities.check(bytes, *key.value().key).ok()) std::abort(); // nothing here has the EK's purpose
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Authority authority;
    static const bool samples_good = verifier::parse_endorsement_key(ek).ok() && verifier::parse_attestation_key(ak).ok();
    if (!samples_good) std::abort();
    if (size < 1) return 0;
    const ByteView rest{data + 1, size - 1};
    switch (data[0] % 6) {
    case 0: try_ek(rest); break;
    case 1: try_ak(rest); break;
    case 2: try_certificate(authority, rest); break;
    case 3: try_ek(changed(ek, rest)); break;
    case 4: try_ak(changed(ak, rest)); break;
    default: try_certificate(authority, changed(authority.der, rest)); break;
    }
    return 0;
}
