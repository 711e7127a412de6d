// SPDX-License-Identifier: Apache-2.0
// Which client certificate is which operator: the operators' file (`--operators`, docs/interfaces/verifier-api.md).
// JSON, read strictly: a member that is not known, a name twice or a certificate twice refuses the whole file.
// Called by casemate-verifierd at start and when it reads its files again, and for each operator's call by the authenticator.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "attest/verifier/json.hpp"
#include "attest/verifier/principal.hpp"

namespace casemate::verifier {

class CertificateMap {
public:
    /// `{"operators": [{"name", "role", "fingerprint" and/or "subject"}, ...]}`. Code `operators`, with a JSON pointer.
    [[nodiscard]] static Result<CertificateMap, ApiError> parse(std::string_view document);

    /// Nothing when no entry fits. An entry with fingerprint and subject fits only when both do.
    [[nodiscard]] std::optional<Principal> find(const ClientCertificate& certificate) const;

private:
    struct Entry {
        Principal principal;
        std::string fingerprint; // empty = any
        std::string subject;     // empty = any
    };
    [[nodiscard]] Status<ApiError> add(const Json& item, const std::string& at);

    std::vector<Entry> entries_;
};

/// The map that holds now. Who is no longer in it is refused from the next call on, also over a connection that is open. Safe from several threads.
class OperatorRegister {
public:
    explicit OperatorRegister(CertificateMap map) { replace(std::move(map)); }

    [[nodiscard]] std::optional<Principal> find(const ClientCertificate& certificate) const { return map_.load()->find(certificate); }
    void replace(CertificateMap map) { map_ = std::make_shared<const CertificateMap>(std::move(map)); }

private:
    std::atomic<std::shared_ptr<const CertificateMap>> map_;
};

} // namespace casemate::verifier
