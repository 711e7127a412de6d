// SPDX-License-Identifier: Apache-2.0
// The owners' file (TOML): who the owners of a platform's policy are, and how many of them must sign. Its certificates lie beside it.
//     threshold = 2
//     owners = ["alice.crt.pem", "bob.crt.pem", "carol.crt.pem"]
//     approval_key = "approval.crt.pem"
//     revoked = ["64 hex digits: SHA-256 of a key's SEC1 point", ...]      may be left out
// Each owner keeps a copy: it is what he compares a draft with before he signs. Host only; called by the policy compiler.
#pragma once

#include "attest/cose/key_certificate.hpp"
#include "policy/compiler/toml_source.hpp"
#include "policy/model/owner_set.hpp"

#include <functional>

namespace casemate::policy {

struct Owners {
    std::uint8_t threshold = 0;
    std::vector<cose::KeyCertificate> members; // in the order of the set
    cose::KeyCertificate approval;
    std::vector<Problem> problems; // none: the set has an encoding, and no key in it is out of date or revoked

    /// The OwnerSet. Of one owner with himself as approval key: his key alone.
    [[nodiscard]] std::vector<std::uint8_t> encoded() const;
};

/// What `read` gives for a file name of the owners' file: the certificate's DER.
using ReadCertificate = std::function<Result<std::vector<std::uint8_t>, cose::CertificateError>(const std::string& name)>;

[[nodiscard]] Owners read_owners(std::string_view toml, const ReadCertificate& read, std::int64_t now);

} // namespace casemate::policy
