// SPDX-License-Identifier: Apache-2.0
// A certificate authority for the fleet's endorsement keys, and the server certificate of the service under load. Certificates
// last a day.
#pragma once

#include <filesystem>

#include "attest/verifier/crypto.hpp"

namespace casemate::fleet {

using verifier::Bytes;

/// What is wrong with a certificate, for those who misbehave.
enum class CertificateFault { none, expired, no_purpose };

class Authority {
public:
    /// A new one.
    Authority();
    /// One that was written before; throws CryptoFailure.
    Authority(const std::filesystem::path& certificate, const std::filesystem::path& key);
    /// DER; for an EK, as [TCG-EK 3.2] has it: empty subject, critical directory-name SAN, EKU 2.23.133.8.1.
    [[nodiscard]] Bytes certify(EVP_PKEY& ek, CertificateFault fault = CertificateFault::none) const;
    /// The authority's own certificate and key, PEM, into new files.
    void write(const std::filesystem::path& certificate, const std::filesystem::path& key) const;

private:
    verifier::PublicKey key_;
    verifier::Certificate certificate_;
};

/// New files for a TLS server at 127.0.0.1: `certificate` (self-signed) and `key`, PEM.
void make_server_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key);

/// A new P-256 key in a new file, PEM.
void make_key(const std::filesystem::path& file);

} // namespace casemate::fleet
