// SPDX-License-Identifier: Apache-2.0
// See service.hpp; the routes are in routes.cpp.
#include "attest/verifier/service.hpp"

#include <chrono>

#include "attest/verifier/log.hpp"

namespace casemate::verifier {

namespace {

std::shared_ptr<Metrics> or_new(std::shared_ptr<Metrics> metrics) { return metrics ? std::move(metrics) : std::make_shared<Metrics>(); }

} // namespace

Service::Service(ServiceParts parts)
    : store_{std::move(parts.store)}, signer_{std::move(parts.signer)},
      results_key_{std::move(parts.results_key)}, authorities_{std::move(parts.authorities)},
      context_{*store_, parts.settings, sha256(as_bytes(parts.operator_token)), std::move(parts.now),
               or_new(std::move(parts.metrics))},
      operators_{std::move(parts.operators)},
      references_{context_, to_bytes(signer_.public_key())}, grants_{context_, signer_, parts.previous_grant_key},
      enrolment_{context_, authorities_}, attestation_{context_, references_, grants_, results_key_},
      operator_{context_, references_, grants_}, fleet_{context_, grants_}, bootstrap_{context_, references_, grants_}, mail_{context_}, secrets_{context_},
      keys_{context_}, tokens_{context_},
      results_{context_, references_}, chain_{context_, references_}, trail_{context_}, trail_export_{context_}, events_{context_}, watch_{context_},
      operations_{context_, signer_, operators_, parts.scrape_token, std::move(parts.connections)},
      router_{context_, operators_, routes()} {
    const Status<ApiError> opened = references_.open(parts.references);
    if (!opened) throw CryptoFailure("reference values: " + opened.error().detail);
}

HttpAnswer Service::answer(const HttpRequest& request) const {
    if (std::optional<HttpAnswer> answer = operations_.answer(request)) return std::move(*answer);
    return router_.answer(request);
}

void Service::close() const {
    if (store_->checkpoint(context_.now())) log(LogLevel::info, "audit_checkpoint");
}

Millis system_now() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

} // namespace casemate::verifier
