// SPDX-License-Identifier: Apache-2.0
// A verifier without a network, and platforms whose TPM is a software key: requests go straight to Service::answer.
#pragma once

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/log.hpp"
#include "attest/verifier/service.hpp"
#include "policy/model/bundle.hpp"
#include "tests/unit/evidence_builder.hpp"
#include "tests/unit/verifier_scratch.hpp"

namespace casemate::test {

using verifier::Json;

inline cose::Signer new_signer() {
    auto signer = cose::Signer::generate();
    if (!signer) std::abort();
    return std::move(signer).value();
}

inline constexpr const char* operator_token = "operator-token-0123456789abcdef01";

/// A launch whose policy is really signed and names this verifier's grant key.
class Platform {
public:
    Platform(const cose::Signer& owner, const cose::Signer& grant_key, std::uint32_t attestation_interval = 0) {
        builder.policy.attestation_interval = attestation_interval;
        builder.policy.grant_key = grant_key.public_key();
        builder.policy.devices[0].bootstrap_lease = 30;
        builder.owner_key.assign(owner.public_key().begin(), owner.public_key().end());
        std::uint8_t header[cose::max_protected];
        const auto signed_bundle = owner.sign_message(policy::encode_bundle_header(owner.public_key(), header),
                                                      encoded(builder.policy));
        builder.bundle = signed_bundle.value();
        builder.reference_vms.clear();
        builder.accept_this_launch();
        relaunch();
    }
    void relaunch() {
        builder.gates.clear();
        builder.leases.clear();
        builder.launch();
        for (std::size_t device = 0; device < builder.policy.device_count; ++device) builder.open_gate(device, 1);
        builder.record({.kind = LedgerKind::vm_started, .vm_id = builder.vm_id(0), .start_number = 1});
    }

    /// TPMT_PUBLIC of the software AK.
    [[nodiscard]] Bytes ak_public() const {
        const Bytes point = builder.key.point();
        Bytes area{0x00, 0x23, 0x00, 0x0b, 0x00, 0x05, 0x00, 0x72, 0x00, 0x00, 0x00, 0x10,
                   0x00, 0x18, 0x00, 0x0b, 0x00, 0x03, 0x00, 0x10, 0x00, 0x20};
        area.insert(area.end(), point.begin() + 1, point.begin() + 33);
        area.insert(area.end(), {0x00, 0x20});
        area.insert(area.end(), point.begin() + 33, point.end());
        return area;
    }

    /// The body of an evidence request that answers `challenge`.
    [[nodiscard]] Json evidence(const Json& challenge) {
        builder.nonce = *verifier::from_base64(challenge["nonce"].get<std::string>());
        builder.challenge_id = challenge["challenge_id"];
        const Bytes log = builder.bend_log ? builder.bend_log(builder.log()) : builder.log();
        const Bytes quote =
            builder.quote(builder.pcrs(builder.tpm_events.empty() ? builder.log_events : builder.tpm_events));
        Json gates = Json::array();
        for (const Bytes& gate : builder.gates) gates.push_back(verifier::to_base64(gate));
        Json leases = Json::array();
        for (const attest::LeaseReport& lease : builder.leases)
            leases.push_back({{"grant_id", verifier::to_hex(lease.grant_id)},
                              {"device", {lease.device.segment, lease.device.bus, lease.device.device, lease.device.function}},
                              {"vm_id", verifier::to_hex(lease.vm_id)},
                              {"gate_nonce", verifier::to_hex(lease.gate_nonce)},
                              {"ms_left", lease.ms_left}});
        Json evidence{{"challenge_id", builder.challenge_id},
                      {"quote", verifier::to_base64(quote)},
                      {"signature", verifier::to_base64(builder.signer->sign(quote))},
                      {"log", verifier::to_base64(log)},
                      {"gates", gates},
                      {"leases", leases}};
        if (!builder.firmware_log.empty()) evidence["firmware_log"] = verifier::to_base64(builder.firmware_log);
        return evidence;
    }

    EvidenceBuilder builder;
    std::string id;
    std::string token;
};

struct Reply {
    int status = 0;
    Json body;
    [[nodiscard]] std::string code() const {
        return body.contains("error") ? body["error"]["code"].get<std::string>() : std::string{};
    }
    /// The words of all reasons, in order.
    [[nodiscard]] std::string words() const {
        std::string all;
        for (const Json& reason : body.value("reasons", Json::array()))
            all += (all.empty() ? "" : " ") + reason["code"].get<std::string>();
        return all;
    }
};

class TestVerifier {
public:
    explicit TestVerifier(verifier::EkAuthorities authorities = {}, const verifier::Settings& settings = {},
                          const std::string& scrape_token = {}, std::optional<cose::Signer> signer = {})
        : grant_key{signer ? std::move(*signer) : new_signer()} {
        verifier::set_log_level(verifier::LogLevel::error);
        auto opened = store::open_sqlite_store(directory / "db");
        store = opened.get();
        service = std::make_unique<verifier::Service>(verifier::ServiceParts{
            std::move(opened), grant_key, std::move(authorities), operator_token, settings, [this] { return now; }, {},
            operators(), results_key, {}, scrape_token});
    }

    /// Client certificates "1...", "2...", "3..." are a viewer, an operator and an owner; so is who is named carl an operator.
    static verifier::CertificateMap operators() {
        Json list = Json::array();
        for (const auto& [digit, name, role] : {std::tuple{'1', "vera", "viewer"}, {'2', "oscar", "operator"}, {'3', "olga", "owner"}})
            list.push_back({{"name", name}, {"role", role}, {"fingerprint", std::string(64, digit)}});
        list.push_back({{"name", "carl"}, {"role", "operator"}, {"subject", "CN=carl"}});
        auto map = verifier::CertificateMap::parse(Json{{"operators", list}}.dump());
        if (!map) std::abort();
        return std::move(map).value();
    }

    /// A platform as enrolment would leave it.
    std::unique_ptr<Platform> platform(char digit, std::uint32_t attestation_interval = 0) {
        auto made = std::make_unique<Platform>(owner, grant_key, attestation_interval);
        made->id = std::string(64, digit);
        made->token = std::string(64, digit);
        renew(*made);
        return made;
    }
    /// As enrolling again would: its token is good for another hour.
    void renew(const Platform& of) const {
        store::Platform row;
        row.identity = {of.id, {0x01}, of.ak_public(), {}, "sha1,sha256,sha384"};
        row.token_hash = verifier::to_bytes(verifier::sha256(verifier::as_bytes(of.token)));
        row.token_expires_at = now + 3'600'000;
        row.enrolled_at = now;
        if (store->bind_platform(row) != store::BindOutcome::bound) std::abort();
    }

    /// What goes on as a stream has no JSON.
    static Reply reply_of(const verifier::HttpAnswer& answer) {
        return {answer.status, answer.stream ? Json::object() : Json::parse(answer.body)};
    }
    Reply call(const std::string& method, const std::string& path, const std::string& token, const std::string& body = "") {
        verifier::HttpRequest request{method, path, token.empty() ? "" : "Bearer " + token, "application/json", "", body, "test"};
        const verifier::HttpAnswer answer = service->answer(request);
        return reply_of(answer);
    }
    /// By client certificate; `digit` as above, any other is nobody's.
    Reply with_certificate(char digit, const std::string& method, const std::string& path, const std::string& body = "",
                           store::Millis not_after = 1'000'000'000'000) {
        verifier::HttpRequest request{method, path, "", "application/json", "", body, "127.0.0.1:5",
                                      verifier::ClientCertificate{std::string(64, digit), "CN=test", not_after}};
        const verifier::HttpAnswer answer = service->answer(request);
        return reply_of(answer);
    }
    Reply as_operator(const std::string& method, const std::string& path, const std::string& body = "") {
        return call(method, path, operator_token, body);
    }
    Json challenge(const Platform& from) { return call("POST", "/v1/platforms/" + from.id + "/challenges", from.token, "{}").body; }
    Reply submit(const Platform& from, const Json& evidence) {
        return call("POST", "/v1/platforms/" + from.id + "/evidence", from.token, evidence.dump());
    }
    /// A fresh challenge, answered.
    Reply attest(Platform& from) { return submit(from, from.evidence(challenge(from))); }

    /// reference.json of what this platform launched.
    static Json reference(const Platform& of) {
        const EvidenceBuilder& builder = of.builder;
        const auto digests = [](const measure::DigestSet& set) {
            Json all = Json::object();
            for (const measure::Digest& digest : set) all[measure::name_of(digest.algorithm)] = verifier::to_hex(digest.view());
            return all;
        };
        Json vms = Json::array();
        for (std::size_t i = 0; i < builder.definitions.size(); ++i)
            vms.push_back({{"name", builder.policy.vms[i].name.view()},
                           {"vm_id", verifier::to_hex(builder.vm_id(i))},
                           {"definition", verifier::to_base64(builder.definitions[i])}});
        return {{"version", 1},
                {"slb", {{"length", builder.slb.size()}, {"digests", digests(builder.reference.slb)}}},
                {"hypervisor", {{"size", builder.hypervisor.size()}, {"digests", digests(builder.reference.hypervisor)}}},
                {"owner_key", verifier::to_hex(builder.owner_key)},
                {"policy", {{"epoch", builder.policy.epoch}, {"size", builder.bundle.size()},
                            {"digests", digests(builder.reference.policy_digest)},
                            {"bundle", verifier::to_base64(builder.bundle)}}},
                {"vms", vms}};
    }
    Reply accept(const Platform& of) { return as_operator("POST", "/v1/reference", reference(of).dump()); }

    ScratchDirectory directory;
    cose::Signer owner = new_signer();
    cose::Signer grant_key;
    cose::Signer results_key = new_signer();
    store::Millis now = 1'000'000;
    store::Store* store = nullptr;
    std::unique_ptr<verifier::Service> service;
};

} // namespace casemate::test
