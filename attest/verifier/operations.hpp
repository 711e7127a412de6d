// SPDX-License-Identifier: Apache-2.0
// What runs the service asks of it, beside the API: `GET /healthz` (the process answers), `GET /readyz` (it may be sent requests)
// and `GET /metrics` (Prometheus). The first two are for anyone and say no more than a word; the metrics name platforms and routes,
// so they are for the scrape token or an operator of any role, and refused to everybody else. docs/interfaces/operations.md
#pragma once

#include "attest/verifier/authenticator.hpp"
#include "attest/verifier/rate_limit.hpp"
#include "attest/verifier/readiness.hpp"

namespace casemate::verifier {

class Operations {
public:
    /// `scrape_token` empty: operators only. `connections` may be empty.
    Operations(const Context& context, const cose::Signer& signer, const OperatorRegister& operators, const std::string& scrape_token,
               std::function<ConnectionCounts()> connections);

    /// Nothing when the path is none of these. Never throws.
    [[nodiscard]] std::optional<HttpAnswer> answer(const HttpRequest& request) const;
    void stop() { readiness_.stop(); }

private:
    [[nodiscard]] HttpAnswer ready() const;
    [[nodiscard]] HttpAnswer metrics(const HttpRequest& request) const;
    [[nodiscard]] Status<ApiError> may_scrape(const HttpRequest& request) const;

    const Context& context_;
    const Authenticator authenticator_;
    const std::optional<Sha256> scrape_token_hash_;
    const std::function<ConnectionCounts()> connections_;
    Readiness readiness_;
    mutable RateLimit strangers_;
};

} // namespace casemate::verifier
