// SPDX-License-Identifier: Apache-2.0
// See operator.hpp.
#include "attest/verifier/operator.hpp"

#include <map>

#include "attest/verifier/encoding.hpp"

namespace casemate::verifier {
namespace {

constexpr int list_limit = 200;
constexpr int label_limit = 1'000'000;

Json to_json(const store::Platform& platform) {
    return {{"platform_id", platform.identity.platform_id},
            {"banks", platform.identity.banks},
            {"enrolled_at", platform.enrolled_at},
            {"last_attested_at", platform.last_attested_at},
            {"last_verdict", platform.last_verdict},
            {"rebinding_allowed", platform.rebinding_allowed},
            {"state", platform.state},
            {"silent", platform.silent_since != 0},
            {"silent_since", platform.silent_since},
            {"ek_certified", !platform.identity.ek_certificate.empty()}};
}

Json to_json(const store::Grant& grant) {
    return {{"grant_id", grant.id},       {"platform_id", grant.platform_id}, {"launch_id", to_hex(grant.launch_id)},
            {"vm_id", to_hex(grant.vm_id)}, {"device", grant.device},         {"rights", grant.rights},
            {"lease_seconds", grant.lease_seconds}, {"epoch", grant.epoch},   {"evidence_clock", grant.evidence_clock},
            {"issued_at", grant.issued_at}, {"renewed_at", grant.renewed_at}, {"revoked_at", grant.revoked_at},
            {"held", grant.held},           {"cose", to_base64(grant.cose)}};
}

Json to_json(const store::AppraisalRecord& result) {
    return {{"result_id", result.id}, {"platform_id", result.platform_id}, {"challenge_id", result.challenge_id},
            {"at", result.at},        {"verdict", result.verdict},         {"reasons", Json::parse(result.reasons)},
            {"reference_id", result.reference}};
}

Json to_json(const store::AuditRow& row) {
    return {{"at", row.at},         {"actor", row.actor},     {"action", row.action},
            {"object", row.object}, {"outcome", row.outcome}, {"detail", row.detail}};
}

Json to_json(const store::ReferenceSet& set) {
    return {{"reference_id", set.id}, {"imported_at", set.imported_at}, {"source", set.source}};
}

template <typename Rows>
Json list(const Rows& rows) {
    Json all = Json::array();
    for (const auto& row : rows) all.push_back(to_json(row));
    return all;
}

} // namespace

Answer Operator::session(const Principal& caller) const {
    return Json{{"name", caller.name}, {"role", name_of(caller.role)}, {"now", context_.now()}};
}

Answer Operator::platforms() const {
    std::map<std::string, std::string> labels;
    for (store::InventoryEntry& entry : context_.store.inventory(label_limit))
        labels.emplace(std::move(entry.platform_id), std::move(entry.label));
    Json all = Json::array();
    for (const store::Platform& platform : context_.store.platforms()) {
        all.push_back(to_json(platform));
        const auto label = labels.find(platform.identity.platform_id);
        all.back()["label"] = label != labels.end() ? label->second : "";
    }
    return Json{{"platforms", all}};
}

Answer Operator::platform(const std::string& platform_id) const {
    const auto platform = context_.store.platform(platform_id);
    if (!platform) return refuse(404, "platform_unknown", "no such platform");
    Json answer = to_json(*platform);
    const auto listed = context_.store.inventory_entry(platform_id);
    answer["label"] = listed ? listed->label : "";
    answer["grants"] = list(context_.store.grants_of(platform_id));
    return answer;
}

Answer Operator::grants() const { return Json{{"grants", list(context_.store.grants(list_limit))}}; }
Answer Operator::results() const { return Json{{"results", list(context_.store.results(list_limit))}}; }
Answer Operator::newest_evidence(const std::string& platform_id) const {
    const auto platform = context_.store.platform(platform_id);
    const auto record = context_.store.newest_result(platform_id);
    if (!platform || !record) return refuse(404, "evidence_unknown", "this platform has given no evidence");
    Json answer = to_json(*record);
    answer["ak_public"] = to_base64(platform->identity.ak_public);
    answer["banks"] = platform->identity.banks;
    answer["nonce"] = to_base64(record->nonce);
    answer["evidence"] = Json::parse(record->evidence);
    return answer;
}

Answer Operator::audit() const { return Json{{"audit", list(context_.store.audit_rows(list_limit))}}; }
Answer Operator::references() const { return Json{{"references", list(context_.store.references())}}; }

Answer Operator::revoke(const std::string& grant_id, const Principal& actor) const {
    const auto revocation = TRY(grants_.revoke(grant_id, actor));
    return Json{{"revocation", to_base64(revocation)}};
}

Answer Operator::release(const std::string& grant_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!context_.store.lift_hold(grant_id)) return refuse(404, "grant_not_held", "no such grant, or it is not held back");
    context_.audit(actor, "release", grant_id, "done");
    unit->commit();
    return Json::object();
}

Answer Operator::allow_rebinding(const std::string& platform_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!context_.store.allow_rebinding(platform_id)) return refuse(404, "platform_unknown", "no such platform");
    context_.audit(actor, "allow_rebinding", platform_id, "done");
    unit->commit();
    return Json::object();
}

Answer Operator::add_reference(const std::string& document, const Principal& actor) const {
    const auto unit = context_.store.begin();
    const Result<std::string, ApiError> id = references_.add(document, "api");
    if (!id) return Failure{id.error()};
    context_.audit(actor, "add_reference", id.value(), "done");
    unit->commit();
    return Json{{"reference_id", id.value()}};
}

Answer Operator::remove_reference(const std::string& id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    if (!references_.remove(id)) return refuse(404, "reference_unknown", "no such reference set");
    context_.audit(actor, "remove_reference", id, "done");
    unit->commit();
    return Json::object();
}

} // namespace casemate::verifier
