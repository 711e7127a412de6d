// SPDX-License-Identifier: Apache-2.0
// See service.hpp. The table below is the whole API; docs/interfaces/verifier-api.md describes it.
#include "attest/verifier/service.hpp"

#include <chrono>

#include "attest/verifier/log.hpp"

namespace casemate::verifier {

Service::Service(ServiceParts parts)
    : store_{std::move(parts.store)}, signer_{std::move(parts.signer)}, authorities_{std::move(parts.authorities)},
      context_{*store_, parts.settings, sha256(as_bytes(parts.operator_token)), std::move(parts.now)},
      references_{context_, to_bytes(signer_.public_key())}, grants_{context_, signer_},
      enrolment_{context_, authorities_}, attestation_{context_, references_, grants_},
      operator_{context_, references_, grants_}, router_{context_, routes()} {
    const Status<ApiError> opened = references_.open(parts.references);
    if (!opened) throw CryptoFailure("reference values: " + opened.error().detail);
}

void Service::close() const {
    if (store_->checkpoint(context_.now())) log(LogLevel::info, "audit_checkpoint");
}

std::vector<Route> Service::routes() {
    constexpr auto anyone = Caller::anyone;
    constexpr auto platform = Caller::platform;
    constexpr auto operator_only = Caller::operator_;
    return {
        {"GET", "/v1/health", anyone, Body::none,
         [this](const Call&) -> Answer { return Json{{"status", "ok"}, {"references", reference_count()}}; }},
        {"POST", "/v1/enrolments", anyone, Body::object,
         [this](const Call& call) { return enrolment_.begin(call.body); }},
        {"POST", "/v1/enrolments/{enrolment}/activation", anyone, Body::object,
         [this](const Call& call) { return enrolment_.activate(call.id("enrolment"), call.body); }},
        {"POST", "/v1/platforms/{platform}/challenges", platform, Body::none,
         [this](const Call& call) { return attestation_.challenge(call.id("platform")); }},
        {"POST", "/v1/platforms/{platform}/evidence", platform, Body::object,
         [this](const Call& call) { return attestation_.evidence(call.id("platform"), call.body, call.raw_body); }},
        {"GET", "/v1/platforms/{platform}/evidence", operator_only, Body::none,
         [this](const Call& call) { return operator_.newest_evidence(call.id("platform")); }},
        {"GET", "/v1/platforms/{platform}/orders", platform, Body::none,
         [this](const Call& call) { return attestation_.orders(call.id("platform")); }},
        {"GET", "/v1/platforms", operator_only, Body::none, [this](const Call&) { return operator_.platforms(); }},
        {"GET", "/v1/grants", operator_only, Body::none, [this](const Call&) { return operator_.grants(); }},
        {"GET", "/v1/results", operator_only, Body::none, [this](const Call&) { return operator_.results(); }},
        {"GET", "/v1/audit", operator_only, Body::none, [this](const Call&) { return operator_.audit(); }},
        {"GET", "/v1/reference", operator_only, Body::none, [this](const Call&) { return operator_.references(); }},
        {"POST", "/v1/reference", operator_only, Body::object,
         [this](const Call& call) { return operator_.add_reference(call.raw_body); }},
        {"DELETE", "/v1/reference/{reference}", operator_only, Body::none,
         [this](const Call& call) { return operator_.remove_reference(call.id("reference")); }},
        {"POST", "/v1/grants/{grant}/revocation", operator_only, Body::none,
         [this](const Call& call) { return operator_.revoke(call.id("grant")); }},
        {"POST", "/v1/grants/{grant}/release", operator_only, Body::none,
         [this](const Call& call) { return operator_.release(call.id("grant")); }},
        {"POST", "/v1/platforms/{platform}/rebinding", operator_only, Body::none,
         [this](const Call& call) { return operator_.allow_rebinding(call.id("platform")); }},
    };
}

Millis system_now() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

} // namespace casemate::verifier
