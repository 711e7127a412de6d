// SPDX-License-Identifier: Apache-2.0
// Signed results: what they say, and every way to bend one; evidence that is only tried, or judged a second time.
#include <catch2/catch.hpp>

#include "attest/store/sqlite.hpp"
#include "attest/verifier/result_token.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::ResultRefusal;

namespace {

constexpr const char* vector_at = "/submods/platform/ear_trustworthiness_vector";

struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');
    std::string path = "/v1/platforms/" + platform->id;
    Scene() { REQUIRE(verifier.accept(*platform).status == 200); }

    std::string token() { return verifier.attest(*platform).body["result"]; }
    Json claims(const std::string& token) {
        const auto read = verifier::verify_result(token, verifier.results_key.public_key(), verifier.now);
        REQUIRE(read.ok());
        return read.value();
    }
    std::string refusal(const std::string& token) { return refusal(token, verifier.results_key.public_key(), verifier.now); }
    static std::string refusal(const std::string& token, const verifier::ResultKey& key, store::Millis now) {
        const auto read = verifier::verify_result(token, key, now);
        return read.ok() ? "good" : verifier::name_of(read.error().why);
    }
};

std::string base64url(const std::string& text) {
    std::string coded = verifier::to_base64(verifier::as_bytes(text));
    for (char& c : coded) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return coded.substr(0, coded.find('='));
}

std::string decoded(std::string part) {
    for (char& c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
    part.append((4 - part.size() % 4) % 4, '=');
    const auto bytes = verifier::from_base64(part);
    return {bytes->begin(), bytes->end()};
}

struct Split {
    std::string header, claims, signature;
    explicit Split(const std::string& token) {
        const std::size_t a = token.find('.'), b = token.rfind('.');
        header = token.substr(0, a), claims = token.substr(a + 1, b - a - 1), signature = token.substr(b + 1);
    }
    [[nodiscard]] std::string joined() const { return header + "." + claims + "." + signature; }
};

/// Claims and header of our choice, signed by `key` all the same.
std::string signed_by(const cose::Signer& key, const Json& header, const Json& claims) {
    const std::string input = base64url(header.dump()) + "." + base64url(claims.dump());
    const auto signature = key.sign(verifier::as_bytes(input), {}).value();
    return input + "." + base64url({signature.begin(), signature.end()});
}

} // namespace

TEST_CASE("a good platform's result affirms it, bound to platform, nonce, reference and epoch", "[verifier][result]") {
    Scene scene;
    const Json claims = scene.claims(scene.token());
    CHECK(claims["eat_profile"] == "tag:ietf.org,2026:rats/ear#04");
    CHECK(claims["iat"] == scene.verifier.now / 1000);
    CHECK(claims["exp"] == scene.verifier.now / 1000 + 300);
    CHECK(decoded(claims["eat_nonce"]) == std::string(scene.platform->builder.nonce.begin(), scene.platform->builder.nonce.end()));
    CHECK(claims["jti"].get<std::string>().size() == 32);
    const Json& about = claims["submods"]["platform"];
    CHECK(about["ear_status"] == "affirming");
    CHECK(about["casemate_platform_id"] == scene.platform->id);
    CHECK(about["casemate_policy_epoch"] == 7);
    CHECK(about["casemate_reference_id"] == scene.verifier.store->references().at(0).id);
    CHECK(about["ear_appraisal_policy_ids"][0] == "urn:casemate:reference:" + scene.verifier.store->references().at(0).id);
    CHECK(about["casemate_launch_id"] == verifier::to_hex(scene.platform->builder.launch_id));
    CHECK(claims.at(Json::json_pointer{vector_at}) ==
          R"({"instance-identity":2,"configuration":2,"executables":3,"hardware":0})"_json);
}

TEST_CASE("a result is kept, and the newest is the platform's", "[verifier][result]") {
    Scene scene;
    CHECK(scene.verifier.as_operator("GET", scene.path + "/result").code() == "result_unknown");
    const std::string first = scene.token();
    const Reply kept = scene.verifier.as_operator("GET", scene.path + "/result");
    CHECK(kept.body["result"] == first);
    scene.platform->builder.hypervisor[0] ^= 1;
    scene.platform->relaunch();
    const std::string second = scene.token();
    CHECK(scene.verifier.as_operator("GET", scene.path + "/result").body["result"] == second);
    CHECK(scene.claims(second)["submods"]["platform"]["ear_status"] == "contraindicated");
}

TEST_CASE("the trust vector says which part of the platform a finding is about", "[verifier][result]") {
    const auto vector = [](auto bend) {
        Scene scene;
        bend(scene);
        const Json claims = scene.claims(scene.token());
        CHECK(claims["submods"]["platform"]["ear_status"] == "contraindicated");
        CHECK_FALSE(claims["submods"]["platform"]["casemate_reasons"].empty());
        CHECK_FALSE(claims["submods"]["platform"].contains("casemate_reference_id"));
        return claims.at(Json::json_pointer{vector_at});
    };
    static const SoftwareKey stranger;
    CHECK(vector([](Scene& s) { s.platform->builder.signer = &stranger; })["instance-identity"] == 99);
    CHECK(vector([](Scene& s) { s.platform->builder.pcr_start = 0xff; })["executables"] == 99);
    const Json other_code = vector([](Scene& s) { s.platform->builder.hypervisor[0] ^= 1; s.platform->relaunch(); });
    CHECK(other_code == R"({"instance-identity":2,"configuration":0,"executables":33,"hardware":0})"_json);
    const Json other_policy = vector([](Scene& s) { s.verifier.as_operator("POST", "/v1/rules", R"({"minimum_policy_epoch":8})"); });
    CHECK(other_policy == R"({"instance-identity":2,"configuration":96,"executables":0,"hardware":0})"_json);
    const Json quarantined = vector([](Scene& s) { s.verifier.as_operator("POST", s.path + "/quarantine"); });
    CHECK(quarantined == R"({"instance-identity":96,"configuration":0,"executables":0,"hardware":0})"_json);
}

TEST_CASE("a person is told the first component that differs, what was expected and what was seen", "[verifier][result]") {
    Scene scene;
    const std::string expected = verifier::to_hex(scene.platform->builder.reference.hypervisor.find(TPM_ALG_ID::SHA256)->view());
    scene.platform->builder.hypervisor[0] ^= 1;
    scene.platform->relaunch();
    const std::string told = scene.verifier.attest(*scene.platform).body["explanation"];
    const std::string seen = verifier::to_hex(measure::sha256(scene.platform->builder.hypervisor));
    CHECK(told.find("the hypervisor is not the accepted one") != std::string::npos);
    CHECK(told.find("expected " + expected) != std::string::npos);
    CHECK(told.find("seen " + seen) != std::string::npos);
}

TEST_CASE("every change to a result is found", "[verifier][result]") {
    Scene scene;
    const std::string token = scene.token();
    CHECK(scene.refusal(token) == "good");
    for (std::size_t i = 0; i < token.size(); i += 7) {
        std::string bent = token;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        CAPTURE(i);
        CHECK(scene.refusal(bent) != "good");
    }
    for (std::size_t length = 0; length < token.size(); length += 11) CHECK(scene.refusal(token.substr(0, length)) != "good");
    CHECK(Scene::refusal(token, new_signer().public_key(), scene.verifier.now) == "result_signature");
    Split swapped{token};
    swapped.claims = Split{scene.token()}.claims;
    CHECK(scene.refusal(swapped.joined()) == "result_signature");
}

TEST_CASE("a result cannot choose its algorithm or bring its key", "[verifier][result]") {
    Scene scene;
    const Split good{scene.token()};
    const Json header = Json::parse(decoded(good.header));
    const Json claims = Json::parse(decoded(good.claims));
    const auto with = [&](const char* name, const Json& value) {
        Json bent = header;
        bent[name] = value;
        return scene.refusal(signed_by(scene.verifier.results_key, bent, claims));
    };
    CHECK(scene.refusal(signed_by(scene.verifier.results_key, header, claims)) == "good");
    for (const char* algorithm : {"none", "None", "HS256", "RS256", "ES384", "es256", ""}) CHECK(with("alg", algorithm) == "result_algorithm");
    CHECK(with("alg", nullptr) == "result_algorithm");
    CHECK(with("alg", {"ES256"}) == "result_algorithm");
    for (const char* extra : {"jwk", "jku", "x5c", "crit", "zip", "cty"}) CHECK(with(extra, "x") == "result_header");
    CHECK(with("typ", "JOSE") == "result_header");
    CHECK(with("kid", std::string(64, '0')) == "result_signature");
    // "none": the token without a signature at all
    Split unsigned_token = good;
    unsigned_token.header = base64url(R"({"alg":"none","typ":"JWT"})");
    unsigned_token.signature.clear();
    CHECK(scene.refusal(unsigned_token.joined()) == "result_algorithm");
    // HS256 with the public key as the secret
    const auto& point = scene.verifier.results_key.public_key();
    const std::string input = base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + good.claims;
    const auto tag = verifier::hmac_sha256(point, verifier::as_bytes(input));
    CHECK(scene.refusal(input + "." + base64url({tag.begin(), tag.end()})) == "result_algorithm");
}

TEST_CASE("a result has one form: parts, encodings, keys and signature", "[verifier][result]") {
    Scene scene;
    const std::string token = scene.token();
    const Split good{token};
    for (const std::string& bent : {token + ".", token + "." + good.claims, good.header + "." + good.claims, std::string{}, std::string{".."},
                                    token + "=", " " + token, token + "\n", std::string(100'000, 'A')})
        CHECK(scene.refusal(bent) == "result_shape");
    Split twice = good;
    twice.header = base64url(R"({"alg":"ES256","alg":"none","typ":"JWT"})");
    CHECK(scene.refusal(twice.joined()) == "result_shape");
    Split deep = good;
    deep.claims = base64url(std::string(20, '[') + std::string(20, ']'));
    CHECK(scene.refusal(deep.joined()) == "result_shape");
    // The other s of the same signature verifies under ECDSA: refused, so that a result has one spelling.
    const std::string raw = decoded(good.signature);
    BIGNUM* order = nullptr;
    BN_hex2bn(&order, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    BIGNUM* s = BN_bin2bn(reinterpret_cast<const unsigned char*>(raw.data()) + 32, 32, nullptr);
    BN_sub(s, order, s);
    std::string high = raw;
    BN_bn2binpad(s, reinterpret_cast<unsigned char*>(high.data()) + 32, 32);
    BN_free(order);
    BN_free(s);
    Split malleable = good;
    malleable.signature = base64url(high);
    CHECK(scene.refusal(malleable.joined()) == "result_signature");
}

TEST_CASE("an expired result, one of the future and one without its claims are refused", "[verifier][result]") {
    Scene scene;
    const std::string token = scene.token();
    const auto key = scene.verifier.results_key.public_key();
    CHECK(Scene::refusal(token, key, scene.verifier.now + 299'000) == "good");
    CHECK(Scene::refusal(token, key, scene.verifier.now + 300'000) == "result_expired");
    CHECK(Scene::refusal(token, key, scene.verifier.now - 60'000) == "good");
    CHECK(Scene::refusal(token, key, scene.verifier.now - 62'000) == "result_not_yet");
    const Split good{token};
    const Json header = Json::parse(decoded(good.header));
    for (const char* name : {"iat", "exp", "eat_nonce", "eat_profile", "submods"}) {
        Json claims = Json::parse(decoded(good.claims));
        claims.erase(name);
        CHECK(scene.refusal(signed_by(scene.verifier.results_key, header, claims)) == "result_claims");
        claims[name] = -1;
        CHECK(scene.refusal(signed_by(scene.verifier.results_key, header, claims)) == "result_claims");
    }
}

TEST_CASE("a dry run judges, and leaves nothing behind but a row of the trail", "[verifier][result]") {
    Scene scene;
    const Json challenge = scene.verifier.challenge(*scene.platform);
    const Json evidence = scene.platform->evidence(challenge);
    Json body{{"platform_id", scene.platform->id}, {"nonce", challenge["nonce"]}, {"evidence", evidence}};
    const auto run = [&] { return scene.verifier.with_certificate('2', "POST", "/v1/appraisals", body.dump()); };
    const Reply tried = run();
    CHECK(tried.body["verdict"] == "affirming");
    CHECK(tried.body["reference_id"] == scene.verifier.store->references().at(0).id);
    CHECK_FALSE(tried.body.contains("grants"));
    CHECK(scene.verifier.store->grants(10).empty());
    CHECK(scene.verifier.store->results(10).empty());
    CHECK(scene.verifier.store->platform(scene.platform->id)->last_verdict.empty());
    CHECK(scene.verifier.store->audit_rows(1).at(0).action == "dry_run");
    CHECK(scene.verifier.store->audit_rows(1).at(0).actor == "oscar (operator)");
    CHECK(scene.verifier.submit(*scene.platform, evidence).body["verdict"] == "affirming"); // the challenge is still good

    SECTION("by another reference set than the accepted ones") {
        Json other = TestVerifier::reference(*scene.platform);
        other["hypervisor"]["digests"]["sha256"] = std::string(64, '0');
        body["reference"] = other;
        CHECK(run().words() == "hypervisor_differs");
        CHECK(scene.verifier.service->reference_count() == 1);
        body["reference"]["colour"] = "red";
        CHECK(run().code() == "reference");
        body["reference"] = 1;
        CHECK(run().code() == "member");
    }
    SECTION("with another nonce, of nobody, or with more than is known") {
        body["nonce"] = verifier::to_base64(Bytes(32, 1));
        CHECK(run().words() == "nonce_mismatch");
        body["platform_id"] = std::string(64, 'f');
        CHECK(run().code() == "platform_unknown");
        body["force"] = true;
        CHECK(run().code() == "member");
    }
}

TEST_CASE("stored evidence judged again gives the same verdict, whatever changed since", "[verifier][result]") {
    Scene scene;
    const auto again = [&](int id) {
        return scene.verifier.with_certificate('2', "POST", "/v1/results/" + std::to_string(id) + "/appraisal").body;
    };
    CHECK(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    scene.platform->builder.hypervisor[0] ^= 1;
    scene.platform->relaunch();
    scene.platform->builder.clock.clock += 10'000;
    CHECK(scene.verifier.attest(*scene.platform).words() == "hypervisor_differs");
    scene.verifier.as_operator("POST", scene.path + "/quarantine");
    CHECK(scene.verifier.attest(*scene.platform).words() == "platform_quarantined");
    scene.verifier.as_operator("POST", scene.path + "/reinstatement");

    // The set goes, an epoch is demanded, time passes, and another AK is bound.
    scene.verifier.as_operator("DELETE", "/v1/reference/" + scene.verifier.store->references().at(0).id);
    scene.verifier.as_operator("POST", "/v1/rules", R"({"minimum_policy_epoch":9})");
    scene.verifier.now += 1'000'000'000;
    store::Platform other = *scene.verifier.store->platform(scene.platform->id);
    other.identity.ak_public = Platform{scene.verifier.owner, scene.verifier.grant_key}.ak_public();
    REQUIRE(scene.verifier.store->allow_rebinding(scene.platform->id));
    REQUIRE(scene.verifier.store->bind_platform(other) == store::BindOutcome::bound);
    for (const int id : {1, 2, 3}) {
        const Json answer = again(id);
        CAPTURE(id, answer.dump());
        CHECK(answer["same"] == true);
        CHECK(answer["verdict"] == answer["recorded"]["verdict"]);
    }
    CHECK(again(1)["verdict"] == "affirming");
    CHECK(again(2)["reasons"][0]["code"] == "hypervisor_differs");
    CHECK(again(3)["reasons"][0]["code"] == "platform_quarantined");

    // A row that somebody changed in the database is not the same any more.
    store::Connection raw{scene.verifier.directory / "db"};
    raw.execute("UPDATE results SET verdict = 'affirming' WHERE id = 2");
    CHECK(again(2)["same"] == false);
    raw.execute("UPDATE results SET expectation = '' WHERE id = 2");
    CHECK(again(2)["error"]["code"] == "facts_unknown");
    raw.execute("DELETE FROM reference_archive");
    CHECK(again(1)["error"]["code"] == "reference_gone");
    CHECK(again(99)["error"]["code"] == "result_unknown");
    for (const char* id : {"0", "01", "-1", "+1", "1x", "99999999999999999999", "%31"})
        CHECK(scene.verifier.as_operator("POST", std::string("/v1/results/") + id + "/appraisal").code() == "path");
}
