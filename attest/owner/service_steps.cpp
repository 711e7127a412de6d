// SPDX-License-Identifier: Apache-2.0
// See service_steps.hpp.
#include "attest/owner/service_steps.hpp"

#include "attest/owner/bootstrap_seal.hpp"
#include "attest/owner/epoch_counter.hpp"
#include "attest/secret/nv_storage.hpp"
#include "attest/verifier/encoding.hpp"
#include "policy/compiler/pci_text.hpp"

#include <algorithm>

namespace casemate::owner {
namespace {

using verifier::Json;

Error error_of(const client::CallError& error) { return Error{"the attestation service: " + error.sentence()}; }

/// The answer; nothing when the service refuses with that word.
Outcome<std::optional<Json>> unless(const char* word, client::Called answer) {
    if (answer.ok()) return std::optional{std::move(answer).value()};
    if (answer.error().code == word) return std::optional<Json>{};
    return Failure{error_of(answer.error())};
}

Outcome<std::string> expect_platform(TpmAccess& tpm) {
    const auto id = platform_of(tpm);
    if (!id) return fail("the TPM has no endorsement key at 81010001h that could name the platform");
    return *id;
}

// --- the inventory

Outcome<std::optional<Json>> listed(TpmAccess& tpm, client::Service& service) {
    const auto id = platform_of(tpm);
    if (!id) return std::optional<Json>{};
    return unless("inventory_unknown", service.call("GET", "/v1/inventory/" + *id));
}

bool may_enrol(const Json& entry, const Listing& listing) {
    return !listing.without_certificate || (entry.contains("without_certificate") && entry["without_certificate"] == true);
}

/// Without a certificate the owner's own word is wanted: it is what the service goes by then.
Status<Error> list(TpmAccess& tpm, client::Service& service, const Listing& listing) {
    const std::string id = TRY(expect_platform(tpm));
    const auto certificate = secret::read_ek_certificate(tpm.asker());
    if (!certificate.ok()) return fail("the TPM does not give its endorsement key's certificate");
    if (certificate.value().empty() && !listing.without_certificate)
        return fail("the TPM has no certificate of its endorsement key, and the service would not let it enrol: say --without-certificate if this machine is the one that you mean");
    const Json entry{{"platform_id", id}, {"label", listing.label}, {"without_certificate", listing.without_certificate}};
    const auto answer = service.call("POST", "/v1/inventory", Json{{"entries", {entry}}}.dump());
    return answer.ok() ? Status<Error>{Done{}} : Failure{error_of(answer.error())};
}

Status<Error> unlist(TpmAccess& tpm, client::Service& service) {
    const std::string id = TRY(expect_platform(tpm));
    (void)TRY(unless("inventory_unknown", service.call("DELETE", "/v1/inventory/" + id)));
    return Done{};
}

Outcome<std::string> still_enrolled(TpmAccess& tpm, client::Service& service) {
    const auto id = platform_of(tpm);
    if (!id) return std::string{};
    const auto platform = TRY(unless("platform_unknown", service.call("GET", "/v1/platforms/" + *id + "/detail")));
    const bool gone = !platform || platform->value("state", "") == "retired";
    return gone ? std::string{} : "the platform has enrolled and stays so: ./casemate attest platform retire " + *id + " ends that";
}

// --- the bootstrap grant

/// Those that the service would confirm.
Outcome<std::vector<Json>> grants_of(const std::string& platform, client::Service& service) {
    const auto answer = service.call("GET", "/v1/platforms/" + platform + "/bootstrap");
    if (!answer.ok()) return Failure{error_of(answer.error())};
    const auto rows = answer.value().find("bootstrap_grants");
    if (rows == answer.value().end() || !rows->is_array()) return fail("the attestation service does not list the platform's bootstrap grants");
    std::vector<Json> live;
    for (const Json& row : *rows) {
        if (!row.is_object() || !row.contains("grant_id") || !row["grant_id"].is_string()) return fail("the attestation service lists a bootstrap grant without an id");
        if (verifier::whole_number(row, "withdrawn_at") == 0) live.push_back(row);
    }
    return live;
}

Outcome<Bytes> message_of(const Json& row) {
    const auto text = row.find("cose");
    auto bytes = text != row.end() && text->is_string() ? verifier::from_base64(text->get<std::string>()) : std::nullopt;
    if (!bytes) return fail("the attestation service's answer has no grant in it");
    return std::move(*bytes);
}

/// One device for one VM in one launch.
class Bootstrap {
public:
    Bootstrap(const PlatformDirectory& directory, TpmAccess& tpm, client::Service& service, const BootstrapWish& wish, const Reference& reference, const cose::Signer& owner)
        : directory_{directory}, tpm_{tpm}, service_{service}, wish_{wish}, device_{policy::parse_address(wish.device)}, reference_{reference}, owner_{owner} {}

    [[nodiscard]] Outcome<bool> done() const {
        const auto record = read_record(directory_);
        const auto message = secret::stored_message(tpm_.asker(), secret::bootstrap_index);
        if (!record.ok() || !message.ok() || message.value().empty()) return false;
        const auto kept = sealed_bootstrap(record.value(), message.value(), reference_.values, owner_.public_key());
        if (!kept.ok() || !is_wished(kept.value())) return false;
        const std::string id = verifier::to_hex(kept.value().claims.id);
        const auto live = TRY(grants_of(record.value().platform_id(), service_));
        return std::any_of(live.begin(), live.end(), [&](const Json& row) { return row["grant_id"] == id; });
    }

    [[nodiscard]] Status<Error> work() const {
        const PlatformRecord record = TRY(brought_up_to_date(directory_, tpm_));
        TRY(expect_owner(reference_.values, owner_.public_key()));
        const Bytes grant = TRY(signed_grant(record));
        const Bytes message = TRY(seal_bootstrap(record, grant, reference_.values, owner_));
        const auto kept = secret::store_message(tpm_.asker(), secret::bootstrap_index, message);
        return kept.ok() ? Status<Error>{Done{}} : tpm_.refusal("does not keep the bootstrap grant", kept.error());
    }

private:
    [[nodiscard]] bool is_wished(const BootstrapGrant& grant) const { return grant.vm == wish_.vm && device_ == grant.claims.device; }

    /// One that a run before has got, or a new one.
    [[nodiscard]] Outcome<Bytes> signed_grant(const PlatformRecord& record) const {
        for (const Json& row : TRY(grants_of(record.platform_id(), service_))) {
            const Bytes grant = TRY(message_of(row));
            const auto opened = open_bootstrap(record, grant, reference_.values);
            if (opened.ok() && is_wished(opened.value())) return grant;
        }
        const Json body{{"reference", reference_.id}, {"device", wish_.device}, {"vm", wish_.vm}};
        const auto answer = service_.call("POST", "/v1/platforms/" + record.platform_id() + "/bootstrap", body.dump());
        if (!answer.ok() && answer.error().code == "reference_unknown")
            return fail("the attestation service does not accept this launch: give it the reference values (./casemate attest reference import FILE)");
        if (!answer.ok()) return Failure{error_of(answer.error())};
        return message_of(answer.value());
    }

    const PlatformDirectory& directory_;
    TpmAccess& tpm_;
    client::Service& service_;
    const BootstrapWish wish_;
    const std::optional<DeviceAddress> device_;
    const Reference reference_;
    const cose::Signer owner_;
};

constexpr std::uint32_t places[] = {secret::bootstrap_index, secret::next_bootstrap_index};

Outcome<bool> has_bootstrap(TpmAccess& tpm, client::Service& service) {
    for (const std::uint32_t place : places) {
        const auto message = secret::stored_message(tpm.asker(), place);
        if (message.ok() && !message.value().empty()) return true;
    }
    const auto id = platform_of(tpm);
    return id && !TRY(grants_of(*id, service)).empty();
}

/// At the service first: what is still in the TPM then tells the next run that there is something to undo.
Status<Error> undo_bootstrap(TpmAccess& tpm, client::Service& service) {
    const std::string id = TRY(expect_platform(tpm));
    for (const Json& row : TRY(grants_of(id, service)))
        (void)TRY(unless("grant_unknown", service.call("POST", "/v1/bootstrap/" + row["grant_id"].get<std::string>() + "/withdrawal")));
    for (const std::uint32_t place : places)
        if (const auto gone = secret::remove_message(tpm.asker(), place); !gone.ok()) return tpm.refusal("does not remove the bootstrap grant", gone.error());
    return Done{};
}

} // namespace

Step inventory_step(TpmAccess& tpm, client::Service& service, const Listing& listing) {
    const auto entry = [&tpm, &service] { return listed(tpm, service); };
    return {"expected by the attestation service",
            [entry, listing]() -> Outcome<bool> {
                const auto found = TRY(entry());
                return found && may_enrol(*found, listing);
            },
            [&tpm, &service, listing] { return list(tpm, service, listing); },
            [entry]() -> Outcome<bool> { return TRY(entry()).has_value(); },
            [&tpm, &service] { return unlist(tpm, service); },
            [&tpm, &service] { return still_enrolled(tpm, service); }};
}

Outcome<BootstrapWish> parse_bootstrap(const std::string& text) {
    constexpr std::size_t short_form = 7; // 00:03.0, of segment 0
    const std::size_t split = text.find('=');
    const std::string device = text.substr(0, split);
    if (split == std::string::npos || split + 1 == text.size() || !policy::parse_address(device))
        return fail("a bootstrap grant is for a device and a VM, as in 0000:00:03.0=net0");
    BootstrapWish wish{(device.size() == short_form ? "0000:" : "") + device, text.substr(split + 1)};
    std::transform(wish.device.begin(), wish.device.end(), wish.device.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return wish;
}

Step bootstrap_step(const PlatformDirectory& directory, TpmAccess& tpm, client::Service& service, const BootstrapWish& wish, const Reference& reference,
                    const cose::Signer& owner) {
    const auto bootstrap = std::make_shared<Bootstrap>(directory, tpm, service, wish, reference, owner);
    Step step = bootstrap_undo_step(tpm, service);
    step.what += ": " + wish.device + " for " + wish.vm;
    step.done = [bootstrap] { return bootstrap->done(); };
    step.work = [bootstrap] { return bootstrap->work(); };
    return step;
}

Step bootstrap_undo_step(TpmAccess& tpm, client::Service& service) {
    return {"sealed bootstrap grant at 01800002h", {}, {},
            [&tpm, &service] { return has_bootstrap(tpm, service); }, [&tpm, &service] { return undo_bootstrap(tpm, service); }, {}};
}

} // namespace casemate::owner
