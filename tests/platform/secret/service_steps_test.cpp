// SPDX-License-Identifier: Apache-2.0
// Provisioning at the attestation service: the real service (without its network) and a software TPM, both cut off at every call, until the
// work is done; then undone, cut off as often; what the service and the TPM hold in between and afterwards.
#include "attest/owner/bootstrap_seal.hpp"
#include "attest/owner/epoch_counter.hpp"
#include "attest/owner/service_steps.hpp"
#include "attest/secret/nv_storage.hpp"
#include "tests/platform/secret/launch_reference.hpp"
#include "tests/platform/secret/steps.hpp"
#include "tests/platform/secret/test_tpm.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::owner;
using casemate::secret_test::backward;
using casemate::secret_test::forward;
using casemate::secret_test::reference_of;
using casemate::secret_test::take;
using casemate::secret_test::TestTpm;
using casemate::test::TestVerifier;
using verifier::Json;

namespace {

/// What may still be sent, to the TPM and to the service; then the power is gone.
struct Power {
    unsigned left = 10'000, sent = 0;
    bool spend() {
        if (left == 0) return false;
        --left;
        ++sent;
        return true;
    }
};

class Line final : public TpmAccess {
public:
    Line(TestTpm& tpm, Power& power) : ask_{tpm.owner()}, power_{power} {}
    Bytes exchange(ByteView command) override { return power_.spend() ? ask_(command) : Bytes{}; }

private:
    secret::TpmExchange ask_;
    Power& power_;
};

/// The service behind its network. A call that was cut off may have been done: the answer is lost.
class Calls final : public client::Service {
public:
    Calls(TestVerifier& verifier, Power& power) : verifier_{verifier}, power_{power} {}
    client::Called call(const std::string& method, const std::string& path, const std::string& body) override {
        if (!power_.spend()) return Failure{client::CallError{client::CallError::Kind::not_made, 0, {}, "no answer", {}}};
        const test::Reply reply = verifier_.as_operator(method, path, method == "POST" ? body : "");
        const bool lost = power_.left == 0;
        if (lost) return Failure{client::CallError{client::CallError::Kind::not_made, 0, {}, "no answer", {}}};
        return client::understood(reply.status, reply.body.dump());
    }

private:
    TestVerifier& verifier_;
    Power& power_;
};

struct Scene {
    Scene() {
        const Json values = reference_of(*verifier.platform('a'));
        reference = {values, verifier::to_hex(verifier::sha256(verifier::as_bytes(values.dump())))};
        REQUIRE(verifier.as_operator("POST", "/v1/reference", values.dump()).body["reference_id"] == reference.id);
    }
    [[nodiscard]] std::vector<Step> steps(Line& line, Calls& calls) const {
        std::vector<Step> all = tpm_steps(directory, line);
        all.push_back(inventory_step(line, calls, listing));
        all.push_back(bootstrap_step(directory, line, calls, wish, reference, verifier.owner));
        return all;
    }
    /// As often as it takes, each time one call further; how often.
    template <typename Run>
    unsigned with_cuts(Run run) {
        unsigned cuts = 0;
        for (;; ++cuts) {
            Power power{cuts};
            Line line{tpm, power};
            Calls calls{verifier, power};
            const bool done = run(steps(line, calls)).ok();
            if (done) return cuts;
            REQUIRE(cuts < 200);
            tpm.power_cycle();
        }
    }
    [[nodiscard]] std::string id() { return take(read_record(directory)).platform_id(); }
    [[nodiscard]] Json grants() { return verifier.as_operator("GET", "/v1/platforms/" + id() + "/bootstrap").body["bootstrap_grants"]; }
    [[nodiscard]] bool is_expected(const std::string& platform) { return verifier.as_operator("GET", "/v1/inventory/" + platform).status == 200; }
    [[nodiscard]] Bytes message() { return secret::stored_message(tpm.owner(), secret::bootstrap_index).value(); }
    [[nodiscard]] Outcome<BootstrapGrant> kept() { return sealed_bootstrap(take(read_record(directory)), message(), reference.values, verifier.owner.public_key()); }
    /// Done, each step of it.
    void provision() {
        Power power;
        Line line{tpm, power};
        Calls calls{verifier, power};
        const auto all = steps(line, calls);
        const auto ran = forward(all);
        INFO(ran.error().text);
        REQUIRE(ran.ok());
        for (const Step& step : all) CHECK(take(step.done()));
    }
    [[nodiscard]] bool bootstrap_is_done() {
        Power power;
        Line line{tpm, power};
        Calls calls{verifier, power};
        return take(bootstrap_step(directory, line, calls, wish, reference, verifier.owner).done());
    }
    /// The sentence with which it is not done.
    [[nodiscard]] std::string refusal() {
        Power power;
        Line line{tpm, power};
        Calls calls{verifier, power};
        const auto ran = forward(steps(line, calls));
        REQUIRE_FALSE(ran.ok());
        return ran.error().text;
    }

    model::StateDir scratch{std::move(model::StateDir::create()).value()};
    PlatformDirectory directory{take(PlatformDirectory::make(scratch.path() / "platform"))};
    TestTpm tpm;
    TestVerifier verifier;
    Reference reference;
    Listing listing{"rack 7", false};
    BootstrapWish wish{"0000:00:03.0", "net0"};
};

bool has(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

} // namespace

TEST_CASE("provisioned, the service expects the platform, and the TPM has the grant that the service signed", "[service-steps]") {
    Scene scene;
    scene.provision();
    const Json entry = scene.verifier.as_operator("GET", "/v1/inventory/" + scene.id()).body;
    CHECK(entry["label"] == "rack 7");
    CHECK(entry["without_certificate"] == false);
    REQUIRE(scene.grants().size() == 1);
    const BootstrapGrant kept = take(scene.kept());
    CHECK(verifier::to_hex(kept.claims.id) == scene.grants()[0]["grant_id"]);
    CHECK(kept.vm == "net0");
    const Bytes before = scene.message();
    scene.provision();
    CHECK(scene.message() == before); // nothing was left to do
    CHECK(scene.grants().size() == 1);
}

TEST_CASE("cut off at each command and call, provisioning is done in the end, with one grant; and so is its undoing", "[service-steps]") {
    Scene scene;
    CHECK(scene.with_cuts(forward) > 20);
    CHECK(scene.grants().size() == 1); // found again, not signed again
    CHECK(scene.bootstrap_is_done());
    CHECK(take(scene.kept()).vm == "net0");
    scene.provision();
    const std::string id = scene.id();
    REQUIRE(scene.is_expected(id));

    CHECK(scene.with_cuts(backward) > 5);
    CHECK_FALSE(scene.is_expected(id));
    const Json rows = scene.verifier.as_operator("GET", "/v1/platforms/" + id + "/bootstrap").body["bootstrap_grants"];
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["withdrawn_at"] > 0);
    CHECK(scene.message().empty());
    CHECK_FALSE(read_record(scene.directory).ok());
    scene.provision(); // and again
}

TEST_CASE("a grant that is no longer good is replaced: withdrawn, of an older epoch, for another device, of another launch", "[service-steps]") {
    Scene scene;
    scene.provision();
    const Bytes before = scene.message();
    SECTION("withdrawn at the service") {
        const std::string path = "/v1/bootstrap/" + scene.grants()[0]["grant_id"].get<std::string>() + "/withdrawal";
        REQUIRE(scene.verifier.as_operator("POST", path).status == 200);
        CHECK_FALSE(scene.bootstrap_is_done());
        scene.provision();
        CHECK(scene.grants().size() == 2);
    }
    SECTION("the epoch was counted up") {
        Power power;
        Line line{scene.tpm, power};
        REQUIRE(count_epoch(scene.directory, line, {}).ok());
        CHECK_FALSE(scene.bootstrap_is_done());
        scene.provision();
        CHECK(scene.grants().size() == 1); // the same grant, sealed again
    }
    SECTION("half of it is in the TPM") {
        Bytes half = before;
        std::fill(half.end() - 300, half.end(), 0xFF);
        REQUIRE(secret::store_message(scene.tpm.owner(), secret::bootstrap_index, half).ok());
        CHECK_FALSE(scene.bootstrap_is_done());
        scene.provision();
        CHECK(scene.grants().size() == 1);
    }
    SECTION("of another launch") {
        scene.reference.values["pcrs"]["sha256"]["17"] = std::string(64, '5');
        CHECK_FALSE(scene.bootstrap_is_done());
        scene.provision();
    }
    SECTION("for another device") {
        scene.wish.device = "0000:00:04.0";
        CHECK_FALSE(scene.bootstrap_is_done());
        CHECK(has(scene.refusal(), "no bootstrap lease"));
        CHECK(scene.message() == before);
        return;
    }
    CHECK(scene.message() != before);
    CHECK(scene.bootstrap_is_done());
}

TEST_CASE("what the service or the owner does not allow is a sentence, and nothing is put into the TPM", "[service-steps]") {
    Scene scene;
    SECTION("a launch that the service does not accept") {
        REQUIRE(scene.verifier.as_operator("DELETE", "/v1/reference/" + scene.reference.id).status == 200);
        CHECK(has(scene.refusal(), "reference import"));
    }
    SECTION("a VM that may not hold the device") {
        scene.wish.vm = "agent";
        CHECK(has(scene.refusal(), "does not let agent hold"));
    }
    SECTION("another owner's key") {
        scene.verifier.owner = test::new_signer();
        CHECK(has(scene.refusal(), "another owner's"));
    }
    CHECK(scene.message().empty());
    CHECK(scene.grants().empty());
}

TEST_CASE("without a certificate of its key a platform is listed on its owner's word only", "[service-steps]") {
    Scene scene;
    constexpr std::uint8_t undefine[] = {0x80, 0x02, 0, 0, 0, 0x1f, 0, 0, 1, 0x22, 0x40, 0, 0, 0x0c, 1, 0xc0, 0, 2, 0, 0, 0, 9,
                                         0x40, 0, 0, 9, 0, 0, 0, 0, 0}; // TPM2_NV_UndefineSpace by the platform hierarchy [TPM2-P3 31.4]
    (void)scene.tpm.owner()(undefine);
    CHECK(has(scene.refusal(), "--without-certificate"));
    CHECK_FALSE(scene.is_expected(scene.id()));
    scene.listing.without_certificate = true;
    scene.provision();
    CHECK(scene.verifier.as_operator("GET", "/v1/inventory/" + scene.id()).body["without_certificate"] == true);
    scene.listing.without_certificate = false; // what was allowed stays so
    scene.provision();
    CHECK(scene.verifier.as_operator("GET", "/v1/inventory/" + scene.id()).body["without_certificate"] == true);
}

TEST_CASE("a platform that has enrolled stays so when its provisioning is undone, and the owner is told", "[service-steps]") {
    Scene scene;
    scene.provision();
    const std::string id = scene.id();
    Power power;
    Line line{scene.tpm, power};
    Calls calls{scene.verifier, power};
    const Step step = inventory_step(line, calls, scene.listing);
    CHECK(take(step.left()).empty());
    store::Platform row;
    row.identity = {id, {0x01}, {0x02}, {}, "sha256"};
    row.token_hash = {9};
    REQUIRE(scene.verifier.store->bind_platform(row) == store::BindOutcome::bound);
    REQUIRE(step.undo().ok());
    CHECK_FALSE(scene.is_expected(id));
    CHECK(has(take(step.left()), ("platform retire " + id).c_str()));
    REQUIRE(scene.verifier.as_operator("POST", "/v1/platforms/" + id + "/retirement").status == 200);
    CHECK(take(step.left()).empty());
}

TEST_CASE("a device and its VM are read strictly", "[service-steps]") {
    CHECK(take(parse_bootstrap("00:03.0=net0")).device == "0000:00:03.0");
    CHECK(take(parse_bootstrap("0001:0A:1f.7=net0")).device == "0001:0a:1f.7");
    CHECK(take(parse_bootstrap("00:03.0=net0")).vm == "net0");
    for (const char* text : {"", "=", "net0", "00:03.0", "00:03.0=", "00:03=net0", "00:20.0=net0", "0:03.0=net0", "eth0=net0"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_bootstrap(text).ok());
    }
}
