// SPDX-License-Identifier: Apache-2.0
// The verifier as one object: everything behind the HTTP server, wired once, with the table of routes.
// Called by casemate-verifierd and by tests, which may also call answer() without a network.
#pragma once

#include "attest/verifier/attestation.hpp"
#include "attest/verifier/bootstrap.hpp"
#include "attest/verifier/chain.hpp"
#include "attest/verifier/enrolment.hpp"
#include "attest/verifier/events.hpp"
#include "attest/verifier/fleet.hpp"
#include "attest/verifier/keys.hpp"
#include "attest/verifier/operations.hpp"
#include "attest/verifier/operator.hpp"
#include "attest/verifier/platform_mail.hpp"
#include "attest/verifier/platform_secrets.hpp"
#include "attest/verifier/results.hpp"
#include "attest/verifier/router.hpp"
#include "attest/verifier/tokens.hpp"
#include "attest/verifier/trail.hpp"
#include "attest/verifier/trail_export.hpp"
#include "attest/verifier/watch.hpp"

namespace casemate::verifier {

struct ServiceParts {
    std::unique_ptr<store::Store> store;
    cose::Signer signer;                     // the verifier-grant key
    EkAuthorities authorities;
    std::string operator_token;              // has the role owner
    Settings settings;
    std::function<Millis()> now;             // milliseconds since the Unix epoch
    std::vector<std::pair<std::string, std::string>> references; // reference.json documents: text, source
    CertificateMap operators{};                  // whose client certificates count, and as what
    std::optional<cose::Signer> results_key{};   // signs results; none: there are no signed results
    std::shared_ptr<Metrics> metrics{};          // shared with whoever watches the store; none: the service makes its own
    std::string scrape_token{};                  // may read /metrics; empty: operators only
    std::function<ConnectionCounts()> connections{}; // of the server, for the metrics
    std::optional<cose::PublicPoint> previous_grant_key{}; // before the present one: its grants are renewed and revoked as well
};

class Service {
public:
    /// Throws CryptoFailure when a reference document is refused: it is never ignored.
    explicit Service(ServiceParts parts);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Never throws; safe from several threads.
    [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const;
    [[nodiscard]] std::size_t reference_count() const { return references_.current().size(); }
    [[nodiscard]] const std::vector<Route>& route_table() const { return router_.routes(); }
    /// Looks over the fleet; called now and then (watch.hpp).
    [[nodiscard]] const Watch& watch() const { return watch_; }
    void replace_operators(CertificateMap operators) { operators_.replace(std::move(operators)); }
    /// Before the server stops: /readyz says so.
    void stop() { operations_.stop(); }
    /// After the last request: signs the head of the audit trail.
    void close() const;

private:
    // routes.cpp: the whole API, by who may call it
    [[nodiscard]] std::vector<Route> routes();
    void add_open_routes(std::vector<Route>& table);
    void add_platform_routes(std::vector<Route>& table);
    void add_viewer_routes(std::vector<Route>& table);
    void add_operator_routes(std::vector<Route>& table);
    void add_owner_routes(std::vector<Route>& table);

    const std::unique_ptr<store::Store> store_;
    const cose::Signer signer_;
    const std::optional<cose::Signer> results_key_;
    const EkAuthorities authorities_;
    const Context context_;
    OperatorRegister operators_;
    ReferenceLibrary references_;
    const Grants grants_;
    const Enrolment enrolment_;
    const Attestation attestation_;
    const Operator operator_;
    const Fleet fleet_;
    const Bootstrap bootstrap_;
    const PlatformMail mail_;
    const PlatformSecrets secrets_;
    const Keys keys_;
    const Tokens tokens_;
    const Results results_;
    const Chain chain_;
    const Trail trail_;
    const TrailExport trail_export_;
    const Events events_;
    const Watch watch_;
    Operations operations_;
    const Router router_;
};

/// The system's clock, for ServiceParts::now.
[[nodiscard]] Millis system_now();

} // namespace casemate::verifier
