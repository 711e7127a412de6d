// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/session/sealing.hpp"

#include "attest/owner/bootstrap_seal.hpp"
#include "attest/owner/provisioning.hpp"
#include "attest/owner/reference_state.hpp"
#include "attest/owner/secret_book.hpp"
#include "attest/secret/nv_storage.hpp"
#include "attest/verifier/encoding.hpp"

#include <nlohmann/json.hpp>

namespace casemate::session {
namespace {

using nlohmann::json;

model::Outcome<owner::PlatformRecord> provision(const owner::PlatformDirectory& directory, owner::TpmAccess& tpm) {
    for (const owner::Step& step : owner::tpm_steps(directory, tpm))
        if (!TRY(step.done())) TRY(step.work());
    return owner::read_record(directory);
}

/// The verifier's message; it has one reference set.
model::Outcome<std::vector<std::uint8_t>> signed_grant(const VerifierClient& verifier, const std::string& platform, const BootstrapFor& wish) {
    (void)verifier.post("/v1/inventory", {{"entries", json::array({{{"platform_id", platform}}})}});
    const json sets = verifier.get("/v1/reference");
    if (!sets.is_object() || sets.value("references", json::array()).size() != 1) return model::fail("the verifier has no single reference set");
    const json answer = verifier.post("/v1/platforms/" + platform + "/bootstrap",
                                      {{"reference", sets["references"][0]["reference_id"]}, {"device", wish.device}, {"vm", wish.vm}});
    auto message = answer.is_object() && answer.contains("cose") ? verifier::from_base64(answer["cose"].get<std::string>()) : std::nullopt;
    if (!message) return model::fail("the verifier signs no bootstrap grant: " + answer.dump());
    return std::move(*message);
}

} // namespace

Status<model::Error> seal_bootstrap(const SealingPlan& plan, const VerifierClient& verifier, const BootstrapFor& wish) {
    const auto key = cose::Signer::from_pem_file(plan.owner_key);
    if (!key.ok()) return model::fail(plan.owner_key.string() + ": " + cose::describe(key.error()));
    const auto directory = TRY(owner::PlatformDirectory::make(plan.platform));
    const auto tpm = TRY(owner::open_tpm((directory.path() / "tpm").string()));
    const auto record = TRY(provision(directory, *tpm));
    const auto grant = TRY(signed_grant(verifier, record.platform_id(), wish));
    const auto reference = TRY(owner::read_reference(plan.reference.string()));
    const auto message = TRY(owner::seal_bootstrap(record, grant, reference, key.value()));
    if (!secret::store_message(tpm->asker(), secret::bootstrap_index, message).ok()) return model::fail("the TPM does not keep the bootstrap grant");
    return Done{};
}

Status<model::Error> seal_secrets(const SealingPlan& plan, const std::vector<SecretFor>& secrets) {
    const auto key = cose::Signer::from_pem_file(plan.owner_key);
    if (!key.ok()) return model::fail(plan.owner_key.string() + ": " + cose::describe(key.error()));
    const auto directory = TRY(owner::PlatformDirectory::make(plan.platform));
    const auto tpm = TRY(owner::open_tpm((directory.path() / "tpm").string()));
    const auto record = TRY(provision(directory, *tpm));
    const auto reference = TRY(owner::read_reference(plan.reference.string()));
    json all = json::array();
    for (const SecretFor& each : secrets) { // a book each: an approval in the same one would be good for the VM's other secrets too
        owner::SecretBook book;
        TRY(book.put(record, each.vm, each.name, each.value, key.value()));
        auto at = TRY(owner::circumstances_of(reference, each.approved_vm.empty() ? each.vm : each.approved_vm));
        at.nv_index = record.epoch_counter;
        at.last_epoch = record.epoch;
        TRY(book.approve(record, each.vm, at, key.value()));
        all.push_back(json::parse(TRY(book.text()))["secrets"][0]);
    }
    return directory.replace("secrets.json", json{{"secrets", all}}.dump());
}

} // namespace casemate::session
