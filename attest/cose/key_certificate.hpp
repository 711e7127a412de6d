// SPDX-License-Identifier: Apache-2.0
// The certificate of a signing key (owner, grant, approval, ...): a self-signed X.509 certificate that says what the key is called and
// from when until when it counts. It makes nobody an owner: who imports it, or names it in an owners' file, does that.
// Host only. Who calls it: the policy compiler and casemate-keys (files), the verifier (what an owner imports).
#pragma once

#include "attest/cose/signing_key.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace casemate::cose {

using KeyId = measure::Sha256Digest; // SHA-256 of the SEC1 point

struct KeyCertificate {
    PublicPoint key{};
    std::string name;            // its common name
    std::int64_t not_before = 0; // milliseconds since the Unix epoch
    std::int64_t not_after = 0;
};

enum class CertificateError {
    none,
    cannot_read,
    not_one_certificate, // not exactly one DER certificate, or PEM block
    not_p256,
    not_a_signing_key,   // an authority's, or one that may do something else than sign
    not_self_signed,     // by another key, or changed
    name,                // not 1 to 64 printable ASCII characters
    dates,
    development_key,     // marked so, and this is a production build
};

[[nodiscard]] const char* describe(CertificateError error);

/// UNTRUSTED.
[[nodiscard]] Result<KeyCertificate, CertificateError> parse_key_certificate(ByteView der);
/// The DER of the one certificate of a PEM file.
[[nodiscard]] Result<std::vector<std::uint8_t>, CertificateError> read_certificate_file(const std::string& path);

[[nodiscard]] KeyId key_id(ByteView point);

/// Why the certificate does not count at that time, as a sentence's end; empty: it does.
[[nodiscard]] std::string out_of_date(const KeyCertificate& certificate, std::int64_t now);
/// "2027-01-31T00:00:00Z".
[[nodiscard]] std::string date_text(std::int64_t milliseconds);

} // namespace casemate::cose
