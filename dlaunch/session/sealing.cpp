// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/session/sealing.hpp"

#include "attest/relay/encoding.hpp"
#include "attest/secret/owner_tpm.hpp"
#include "attest/verifier/encoding.hpp"
#include "dlaunch/model/software_tpm.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace casemate::session {
namespace {

using model::fail;
using nlohmann::json;

/// What provisioning found out about a platform.
struct ProvisionedTpm {
    secret::Bytes modulus;
    std::uint64_t epoch = 0;
};

model::Outcome<ProvisionedTpm> provision(const std::filesystem::path& directory) {
    const auto tpm = TRY(model::SoftwareTpm::start(directory));
    const secret::TpmExchange ask = [&](ByteView command) {
        auto response = tpm->exchange(command, 0);
        return response.ok() ? std::move(response).value() : secret::Bytes{};
    };
    const auto modulus = secret::read_endorsement_key(ask);
    if (!modulus.ok()) return fail("the TPM has no RSA endorsement key at its usual place");
    const auto epoch = secret::ensure_epoch_counter(ask, secret::epoch_counter_index);
    if (!epoch.ok()) return fail("the TPM makes no epoch counter");
    return ProvisionedTpm{modulus.value(), epoch.value()};
}

model::Outcome<secret::Digest> digest_from(const json& value) {
    const auto bytes = verifier::from_hex(value.is_string() ? value.get<std::string>() : "");
    secret::Digest digest;
    if (!bytes || bytes->size() != digest.size()) return fail("the reference values have no such digest");
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

model::Outcome<secret::Digest> identity_of(const json& reference, const std::string& vm) {
    for (const json& each : reference.value("vms", json::array()))
        if (each.value("name", "") == vm) return digest_from(each.value("vm_id", json{}));
    return fail("the reference values know no VM " + vm);
}

model::Outcome<secret::Circumstances> circumstances_of(const json& reference, const std::string& vm, std::uint64_t epoch) {
    const json pcrs = reference.value("pcrs", json::object()).value("sha256", json::object());
    secret::Circumstances at;
    at.pcr_17 = TRY(digest_from(pcrs.value("17", json{})));
    at.pcr_18 = TRY(digest_from(pcrs.value("18", json{})));
    at.vm_id = TRY(identity_of(reference, vm));
    at.nv_index = secret::epoch_counter_index;
    at.last_epoch = epoch;
    return at;
}

} // namespace

Status<model::Error> seal_secrets(const SealingPlan& plan, const std::vector<SecretFor>& secrets, const std::filesystem::path& out) {
    const json reference = json::parse(std::ifstream{plan.reference}, nullptr, false);
    if (!reference.is_object()) return fail("cannot read " + plan.reference.string());
    const auto owner = cose::Signer::from_pem_file(plan.owner_key);
    if (!owner.ok()) return fail(plan.owner_key.string() + ": " + cose::describe(owner.error()));
    const ProvisionedTpm tpm = TRY(provision(plan.tpm));
    json all = json::array();
    for (const SecretFor& each : secrets) {
        const auto sealed = secret::seal({.name = each.name, .vm = each.vm, .modulus = tpm.modulus}, each.value, owner.value());
        if (!sealed.ok()) return fail("cannot seal " + each.name + ": " + secret::describe(sealed.error()));
        const auto at = TRY(circumstances_of(reference, each.approved_vm.empty() ? each.vm : each.approved_vm, tpm.epoch));
        const auto approval = secret::approve(each.vm, at, owner.value());
        if (!approval.ok()) return fail("cannot approve " + each.name + ": " + secret::describe(approval.error()));
        all.push_back({{"vm", each.vm}, {"name", each.name}, {"sealed", relay::to_base64(sealed.value())},
                       {"approvals", {relay::to_base64(approval.value())}}});
    }
    std::ofstream file{out, std::ios::trunc};
    file << json{{"secrets", all}}.dump() << "\n";
    return file.flush() ? Status<model::Error>{Done{}} : fail("cannot write " + out.string());
}

} // namespace casemate::session
