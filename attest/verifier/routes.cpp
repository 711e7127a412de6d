// SPDX-License-Identifier: Apache-2.0
// The whole API as one table, in groups by the least role that may call; docs/interfaces/verifier-api.md tells the meaning
// and docs/interfaces/openapi.json the shapes. A test calls each of them as each kind of caller.
#include "attest/verifier/openapi.hpp"
#include "attest/verifier/service.hpp"

namespace casemate::verifier {

std::vector<Route> Service::routes() {
    std::vector<Route> table;
    add_open_routes(table);
    add_platform_routes(table);
    add_viewer_routes(table);
    add_operator_routes(table);
    add_owner_routes(table);
    return table;
}

void Service::add_open_routes(std::vector<Route>& table) {
    const auto add = [&](const char* method, const char* pattern, Body body, auto handler) {
        table.push_back({method, pattern, Caller::anyone, body, handler});
    };
    add("GET", "/v1/health", Body::none,
        [this](const Call&) -> Answer { return Json{{"status", "ok"}, {"references", reference_count()}}; });
    add("GET", "/v1/openapi.json", Body::none, [](const Call&) -> Answer { return Json::parse(openapi_document); });
    add("POST", "/v1/enrolments", Body::object, [this](const Call& call) { return enrolment_.begin(call.body); });
    add("POST", "/v1/enrolments/{enrolment}/activation", Body::object,
        [this](const Call& call) { return enrolment_.activate(call.id("enrolment"), call.body); });
}

void Service::add_platform_routes(std::vector<Route>& table) {
    const auto add = [&](const char* method, const char* pattern, Body body, auto handler) {
        table.push_back({method, pattern, Caller::platform, body, handler});
    };
    add("POST", "/v1/platforms/{platform}/challenges", Body::none,
        [this](const Call& call) { return attestation_.challenge(*call.platform); });
    add("POST", "/v1/platforms/{platform}/evidence", Body::object,
        [this](const Call& call) { return attestation_.evidence(*call.platform, call.body, call.raw_body); });
    add("GET", "/v1/platforms/{platform}/orders", Body::none,
        [this](const Call& call) { return attestation_.orders(call.id("platform")); });
    add("POST", "/v1/platforms/{platform}/status", Body::object,
        [this](const Call& call) { return mail_.report(*call.platform, call.body, call.raw_body); });
    add("GET", "/v1/platforms/{platform}/secrets", Body::none, [this](const Call& call) { return secrets_.hand_out(*call.platform); });
}

void Service::add_viewer_routes(std::vector<Route>& table) {
    const auto add = [&](const char* pattern, auto handler) {
        table.push_back({"GET", pattern, Caller::viewer, Body::none, handler});
    };
    add("/v1/platforms", [this](const Call&) { return operator_.platforms(); });
    add("/v1/platforms/{platform}/detail", [this](const Call& call) { return operator_.platform(call.id("platform")); });
    add("/v1/platforms/{platform}/evidence",
        [this](const Call& call) { return operator_.newest_evidence(call.id("platform")); });
    add("/v1/platforms/{platform}/result", [this](const Call& call) { return results_.newest(call.id("platform")); });
    add("/v1/grants", [this](const Call&) { return operator_.grants(); });
    add("/v1/results", [this](const Call&) { return operator_.results(); });
    add("/v1/audit", [this](const Call&) { return operator_.audit(); });
    add("/v1/reference", [this](const Call&) { return operator_.references(); });
    add("/v1/inventory", [this](const Call&) { return fleet_.inventory(); });
    add("/v1/inventory/{platform}", [this](const Call& call) { return fleet_.expected(call.id("platform")); });
    add("/v1/platforms/{platform}/bootstrap", [this](const Call& call) { return bootstrap_.list(call.id("platform")); });
    add("/v1/platforms/{platform}/status", [this](const Call& call) { return mail_.newest_report(call.id("platform")); });
    add("/v1/platforms/{platform}/operator-orders", [this](const Call& call) { return mail_.orders(call.id("platform")); });
    add("/v1/rules", [this](const Call&) { return fleet_.rules(); });
    add("/v1/keys", [this](const Call&) { return keys_.list(); });
    add("/v1/platforms/{platform}/chain", [this](const Call& call) { return chain_.of(call.id("platform")); });
    add("/v1/session", [this](const Call& call) { return operator_.session(call.caller); });
    table.push_back({"POST", "/v1/audit/search", Caller::viewer, Body::object,
                     [this](const Call& call) { return trail_.search(call.body); }});
    table.push_back({"GET", "/v1/events", Caller::viewer, Body::none, {},
                     [this](const Call& call, std::function<bool()> allowed) {
                         return events_.open(call.caller, call.last_event_id, std::move(allowed));
                     }});
}

void Service::add_operator_routes(std::vector<Route>& table) {
    const auto add = [&](const char* pattern, Body body, auto handler) {
        table.push_back({"POST", pattern, Caller::operator_, body, handler});
    };
    add("/v1/grants/{grant}/revocation", Body::none,
        [this](const Call& call) { return operator_.revoke(call.id("grant"), call.caller); });
    add("/v1/grants/{grant}/release", Body::none,
        [this](const Call& call) { return operator_.release(call.id("grant"), call.caller); });
    add("/v1/platforms/{platform}/rebinding", Body::none,
        [this](const Call& call) { return operator_.allow_rebinding(call.id("platform"), call.caller); });
    add("/v1/platforms/{platform}/quarantine", Body::none,
        [this](const Call& call) { return fleet_.quarantine(call.id("platform"), call.caller); });
    add("/v1/platforms/{platform}/operator-orders", Body::object,
        [this](const Call& call) { return mail_.order(call.id("platform"), call.body, call.caller); });
    add("/v1/platforms/{platform}/operator-orders/withdrawal", Body::none,
        [this](const Call& call) { return mail_.withdraw_orders(call.id("platform"), call.caller); });
    add("/v1/bootstrap/{grant}/withdrawal", Body::none,
        [this](const Call& call) { return bootstrap_.withdraw(call.id("grant"), call.caller); });
    add("/v1/appraisals", Body::object,
        [this](const Call& call) { return results_.dry_run(call.body, call.caller); });
    add("/v1/results/{result}/appraisal", Body::none,
        [this](const Call& call) { return results_.appraise_again(call.id("result"), call.caller); });
}

void Service::add_owner_routes(std::vector<Route>& table) {
    const auto add = [&](const char* method, const char* pattern, Body body, auto handler) {
        table.push_back({method, pattern, Caller::owner, body, handler});
    };
    add("POST", "/v1/reference", Body::object,
        [this](const Call& call) { return operator_.add_reference(std::string{call.raw_body}, call.caller); });
    add("DELETE", "/v1/reference/{reference}", Body::none,
        [this](const Call& call) { return operator_.remove_reference(call.id("reference"), call.caller); });
    add("POST", "/v1/platforms/{platform}/approval", Body::none,
        [this](const Call& call) { return fleet_.approve(call.id("platform"), call.caller); });
    add("POST", "/v1/platforms/{platform}/bootstrap", Body::object,
        [this](const Call& call) { return bootstrap_.issue(call.id("platform"), call.body, call.caller); });
    add("POST", "/v1/platforms/{platform}/secrets", Body::object,
        [this](const Call& call) { return secrets_.replace(call.id("platform"), call.body, call.caller); });
    add("POST", "/v1/platforms/{platform}/retirement", Body::none,
        [this](const Call& call) { return fleet_.retire(call.id("platform"), call.caller); });
    add("POST", "/v1/platforms/{platform}/reinstatement", Body::none,
        [this](const Call& call) { return fleet_.reinstate(call.id("platform"), call.caller); });
    add("POST", "/v1/inventory", Body::object,
        [this](const Call& call) { return fleet_.import(call.body, call.caller); });
    add("DELETE", "/v1/inventory/{platform}", Body::none,
        [this](const Call& call) { return fleet_.remove(call.id("platform"), call.caller); });
    add("POST", "/v1/rules", Body::object, [this](const Call& call) { return fleet_.set_rules(call.body, call.caller); });
    add("POST", "/v1/keys", Body::object, [this](const Call& call) { return keys_.add(call.body, call.caller); });
    add("POST", "/v1/keys/{key}/revocation", Body::none,
        [this](const Call& call) { return keys_.revoke(call.id("key"), call.caller); });
    add("POST", "/v1/audit/export", Body::object, [this](const Call& call) { return trail_export_.page(call.body); });
    add("GET", "/v1/tokens", Body::none, [this](const Call&) { return tokens_.list(); });
    add("POST", "/v1/tokens", Body::object,
        [this](const Call& call) { return tokens_.create(call.body, call.caller); });
    add("DELETE", "/v1/tokens/{token}", Body::none,
        [this](const Call& call) { return tokens_.remove(call.id("token"), call.caller); });
}

} // namespace casemate::verifier
