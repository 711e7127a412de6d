// SPDX-License-Identifier: Apache-2.0
// See bootstrap.hpp.
#include "attest/verifier/bootstrap.hpp"

#include <algorithm>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/log.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_name = 64;

Failure<ApiError> wrong(const std::string& detail) { return refuse(400, "bootstrap", detail); }

/// Claims but for id and platform, from what the policy of that launch allows.
Result<grant::Claims, ApiError> claims_for(const attest::ReferenceSet& set, const std::string& device, const std::string& vm) {
    const policy::Policy& policy = *set.policy;
    grant::Claims claims;
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        const policy::Device& listed = policy.devices[i];
        if (name_of(listed.address) != device) continue;
        if (listed.bootstrap_lease == 0) return wrong("the policy gives " + device + " no bootstrap lease");
        for (std::size_t v = 0; v < set.vms.size(); ++v) {
            if (set.vms[v].name != vm || !listed.may_hold(v)) continue;
            claims.type = grant::Type::bootstrap;
            claims.vm_id = measure::vm_id_of(set.vms[v].definition);
            claims.device = listed.address;
            claims.rights = listed.rights;
            claims.lease = listed.bootstrap_lease;
            claims.epoch = policy.epoch;
            return claims;
        }
        return wrong("the policy does not let " + vm + " hold " + device);
    }
    return wrong("the policy has no device " + device);
}

store::BootstrapGrant row_of(const grant::Claims& claims, const Principal& actor, Millis now) {
    store::BootstrapGrant row;
    row.id = to_hex(claims.id);
    row.platform_id = to_hex(claims.platform_id);
    row.vm_id = to_bytes(claims.vm_id);
    row.device = name_of(claims.device);
    row.lease_seconds = static_cast<std::int64_t>(claims.lease);
    row.epoch = static_cast<std::int64_t>(claims.epoch);
    row.issued_at = now;
    row.issued_by = actor.name;
    return row;
}

Json to_json(const store::BootstrapGrant& grant) {
    return {{"grant_id", grant.id}, {"platform_id", grant.platform_id}, {"vm_id", to_hex(grant.vm_id)}, {"device", grant.device},
            {"lease_seconds", grant.lease_seconds}, {"epoch", grant.epoch}, {"issued_at", grant.issued_at}, {"issued_by", grant.issued_by},
            {"withdrawn_at", grant.withdrawn_at}, {"cose", to_base64(grant.cose)}};
}

} // namespace

Status<ApiError> Bootstrap::check_standing(const std::string& platform_id) const {
    const auto platform = context_.store.hold_platform(platform_id);
    if (platform && platform->state != "active") return refuse(409, "platform_state", "the platform is " + platform->state);
    if (platform || context_.store.inventory_entry(platform_id)) return Done{};
    return refuse(404, "platform_unknown", "neither enrolled nor in the inventory: list the platform first");
}

Answer Bootstrap::issue(const std::string& platform_id, const Json& body, const Principal& actor) const {
    TRY(only_members(body, {"reference", "device", "vm", "lease_seconds"}, "", "bootstrap"));
    const std::string reference = TRY(text_member(body, "reference", max_name));
    const std::string device = TRY(text_member(body, "device", max_name)), vm = TRY(text_member(body, "vm", max_name));
    const auto unit = context_.store.begin();
    TRY(check_standing(platform_id));
    const References sets = references_.current();
    const auto set = std::find_if(sets.begin(), sets.end(), [&](const auto& each) { return each->id() == reference; });
    if (set == sets.end()) return refuse(404, "reference_unknown", "no such reference set");
    grant::Claims claims = TRY(claims_for((*set)->set(), device, vm));
    if (body.contains("lease_seconds")) {
        const auto wanted = whole_number(body, "lease_seconds");
        if (!wanted || *wanted < 1 || static_cast<std::uint64_t>(*wanted) > claims.lease)
            return wrong("the policy allows 1 to " + std::to_string(claims.lease) + " seconds");
        claims.lease = static_cast<std::uint64_t>(*wanted);
    }
    const Bytes id = random_bytes(claims.id.size()), platform = *from_hex(platform_id);
    std::copy_n(id.begin(), claims.id.size(), claims.id.begin());
    std::copy_n(platform.begin(), claims.platform_id.size(), claims.platform_id.begin());
    store::BootstrapGrant row = row_of(claims, actor, context_.now());
    row.cose = grants_.sign(claims);
    context_.store.add_bootstrap_grant(row);
    context_.audit(actor, "bootstrap", row.id, "issued", "platform " + platform_id + ", device " + device + ", vm " + vm);
    unit->commit();
    log(LogLevel::warning, "bootstrap_issued", {{"platform", platform_id}, {"grant", row.id}, {"device", device}, {"vm", vm}});
    return to_json(row);
}

Answer Bootstrap::list(const std::string& platform_id) const {
    Json all = Json::array();
    for (const store::BootstrapGrant& grant : context_.store.bootstrap_grants_of(platform_id)) all.push_back(to_json(grant));
    return Json{{"bootstrap_grants", all}};
}

Answer Bootstrap::withdraw(const std::string& grant_id, const Principal& actor) const {
    const auto unit = context_.store.begin();
    const auto platform = context_.store.withdraw_bootstrap_grant(grant_id, context_.now());
    if (!platform) return refuse(404, "grant_unknown", "no such bootstrap grant, or it was withdrawn before");
    context_.audit(actor, "bootstrap", grant_id, "withdrawn", "platform " + *platform);
    unit->commit();
    return Json::object();
}

} // namespace casemate::verifier
