// SPDX-License-Identifier: Apache-2.0
// Is this endorsement key the one of a genuine TPM? Checks the EK certificate's path up to a configured authority,
// its purpose (EKU 2.23.133.8.1, tcg-kp-EKCertificate) and that it certifies exactly this key (CVE-2021-3406).
// The critical directory-name SAN of EK certificates [TCG-EK 3.2.9] is understood by OpenSSL itself. There is no
// accept-all mode: without an authority every certificate is refused. Called by enrolment.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "attest/verifier/crypto.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::verifier {

struct CertificateRefusal {
    enum class Why { malformed, no_authority, chain, purpose, other_key } why = Why::malformed;
    std::string detail;
};

/// The configured authorities: self-signed certificates are trusted, all others only help to build paths.
class EkAuthorities {
public:
    /// Adds the certificates (PEM, or one in DER) of a file or of all files of a directory. Throws CryptoFailure
    /// when a file cannot be read, or when it is named itself and holds no certificate.
    void add(const std::filesystem::path& path);
    [[nodiscard]] std::size_t size() const { return roots_ + intermediates_.size(); }

    /// `der` is UNTRUSTED.
    [[nodiscard]] Status<CertificateRefusal> check(ByteView der, const EVP_PKEY& ek) const;

private:
    using TrustStore = std::unique_ptr<X509_STORE, Releaser<X509_STORE_free>>;

    std::size_t add_file(const std::filesystem::path& file);
    void add_certificate(Certificate certificate);
    [[nodiscard]] Status<CertificateRefusal> check_path(X509& certificate) const;

    TrustStore trusted_{X509_STORE_new()};
    std::size_t roots_ = 0;
    std::vector<Certificate> intermediates_;
};

} // namespace casemate::verifier
