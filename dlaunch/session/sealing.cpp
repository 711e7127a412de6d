// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/session/sealing.hpp"

#include "attest/owner/provisioning.hpp"
#include "attest/owner/reference_state.hpp"
#include "attest/owner/secret_book.hpp"

#include <nlohmann/json.hpp>

namespace casemate::session {
namespace {

using nlohmann::json;

model::Outcome<owner::PlatformRecord> provision(const owner::PlatformDirectory& directory) {
    const auto tpm = TRY(owner::open_tpm((directory.path() / "tpm").string()));
    for (const owner::Step& step : owner::tpm_steps(directory, *tpm))
        if (!TRY(step.done())) TRY(step.work());
    return owner::read_record(directory);
}

} // namespace

Status<model::Error> seal_secrets(const SealingPlan& plan, const std::vector<SecretFor>& secrets) {
    const auto key = cose::Signer::from_pem_file(plan.owner_key);
    if (!key.ok()) return model::fail(plan.owner_key.string() + ": " + cose::describe(key.error()));
    const auto directory = TRY(owner::PlatformDirectory::make(plan.platform));
    const auto record = TRY(provision(directory));
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
