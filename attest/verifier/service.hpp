// SPDX-License-Identifier: Apache-2.0
// The verifier as one object: everything behind the HTTP server, wired once, with the table of routes.
// Called by casemate-verifierd and by tests, which may also call answer() without a network.
#pragma once

#include "attest/verifier/attestation.hpp"
#include "attest/verifier/enrolment.hpp"
#include "attest/verifier/operator.hpp"
#include "attest/verifier/router.hpp"

namespace casemate::verifier {

struct ServiceParts {
    std::unique_ptr<store::Store> store;
    cose::Signer signer;                     // the verifier-grant key
    EkAuthorities authorities;
    std::string operator_token;
    Settings settings;
    std::function<Millis()> now;             // milliseconds since the Unix epoch
    std::vector<std::pair<std::string, std::string>> references; // reference.json documents: text, source
};

class Service {
public:
    /// Throws CryptoFailure when a reference document is refused: it is never ignored.
    explicit Service(ServiceParts parts);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Never throws; safe from several threads.
    [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const { return router_.answer(request); }
    [[nodiscard]] std::size_t reference_count() const { return references_.current().size(); }
    /// After the last request: signs the head of the audit trail.
    void close() const;

private:
    [[nodiscard]] std::vector<Route> routes();

    const std::unique_ptr<store::Store> store_;
    const cose::Signer signer_;
    const EkAuthorities authorities_;
    const Context context_;
    ReferenceLibrary references_;
    const Grants grants_;
    const Enrolment enrolment_;
    const Attestation attestation_;
    const Operator operator_;
    const Router router_;
};

/// The system's clock, for ServiceParts::now.
[[nodiscard]] Millis system_now();

} // namespace casemate::verifier
