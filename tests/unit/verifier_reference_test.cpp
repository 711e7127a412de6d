// SPDX-License-Identifier: Apache-2.0
// Reference sets: nothing in a document is ignored, they count in their time only, and the fleet may demand a newer policy.
#include <catch2/catch.hpp>

#include "attest/verifier/json_place.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');
    Json good = TestVerifier::reference(*platform);
    Reply add(const Json& document) { return verifier.as_operator("POST", "/v1/reference", document.dump()); }
    std::string detail(const Json& document) {
        const Reply reply = add(document);
        return reply.status == 200 ? "good" : reply.body["error"]["detail"].get<std::string>();
    }
};

} // namespace

TEST_CASE("a member that nobody knows refuses the document, by its JSON pointer", "[verifier][reference]") {
    Scene scene;
    for (const char* at : {"/colour", "/slb/colour", "/slb/digests/md5", "/hypervisor/colour", "/policy/colour",
                           "/policy/digests/sm3", "/vms/1/colour"}) {
        Json document = scene.good;
        document[Json::json_pointer{at}] = "00";
        CAPTURE(at);
        CHECK(scene.detail(document) == std::string(at) + ": unknown member");
    }
    CHECK(scene.verifier.service->reference_count() == 0);
    CHECK(scene.detail(scene.good) == "good");
}

TEST_CASE("what a document says twice must agree", "[verifier][reference]") {
    Scene scene;
    const auto& builder = scene.platform->builder;
    const auto definition = measure::parse_vm_definition(builder.definitions[1]);
    REQUIRE(definition);
    Json full = scene.good;
    full["vms"][1]["kernel"] = {{"file", "vmlinuz"}, {"sha256", verifier::to_hex(definition->kernel)}};
    full["vms"][1]["initrd"] = {{"file", "net0.img"}, {"sha256", verifier::to_hex(definition->initrd)}};
    full["vms"][1]["command_line"] = definition->command_line;
    measure::LaunchPcrs pcrs{builder.log_banks};
    REQUIRE((pcrs.extend(17, builder.reference.slb) && pcrs.extend(17, builder.reference.hypervisor) &&
             pcrs.extend(18, measure::hash_all(builder.log_banks, builder.owner_key)) &&
             pcrs.extend(18, builder.reference.policy_digest)));
    for (const TPM_ALG_ID bank : builder.log_banks)
        full["pcrs"][measure::name_of(bank)] = {{"17", verifier::to_hex(pcrs.value(bank, 17).view())},
                                                {"18", verifier::to_hex(pcrs.value(bank, 18).view())}};
    CHECK(scene.detail(full) == "good");
    const auto bent = [&](const char* at, const Json& value) {
        Json document = full;
        document[Json::json_pointer{at}] = value;
        return scene.detail(document);
    };
    const std::string zero(64, '0');
    CHECK(bent("/vms/1/kernel/sha256", zero) == "/vms/1/kernel/sha256: is not the digest in the definition");
    CHECK(bent("/vms/1/initrd/sha256", zero) == "/vms/1/initrd/sha256: is not the digest in the definition");
    CHECK(bent("/vms/1/command_line", "quiet") == "/vms/1/command_line: is not the one in the definition");
    CHECK(bent("/vms/1/kernel/size", 1) == "/vms/1/kernel/size: unknown member");
    CHECK(bent("/pcrs/sha256/17", zero) == "/pcrs/sha256/17: does not follow from the digests");
    CHECK(bent("/pcrs/sha1/18", std::string(40, '0')) == "/pcrs/sha1/18: does not follow from the digests");
    CHECK(bent("/pcrs/sha256/19", zero) == "/pcrs/sha256/19: unknown member");
    CHECK(bent("/pcrs/sha512", {{"17", zero + zero}, {"18", zero + zero}}).find("no digest of this bank") != std::string::npos);
}

TEST_CASE("a set counts from not_before to not_after", "[verifier][reference]") {
    Scene scene;
    Json document = scene.good;
    document["not_before"] = "1970-01-01T00:20:00Z"; // 1,200 s; it is 1,000 s now
    document["not_after"] = "1970-01-01T00:30:00Z";
    REQUIRE(scene.add(document).status == 200);
    const Reply early = scene.verifier.attest(*scene.platform);
    CHECK(early.words() == "reference_not_yet_valid");
    CHECK(early.body["grants"].empty());
    scene.verifier.now = 1'200'000;
    CHECK(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    scene.verifier.now = 1'800'000;
    CHECK(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    scene.verifier.now = 1'800'001;
    CHECK(scene.verifier.attest(*scene.platform).words() == "reference_expired");
    REQUIRE(scene.add(scene.good).status == 200); // another set of the same build, without an end
    CHECK(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
}

TEST_CASE("times have one form and an order", "[verifier][reference]") {
    Scene scene;
    for (const Json& time : {Json("2027-02-30T00:00:00Z"), Json("2027-01-01"), Json("2027-01-01T00:00:00+01:00"), Json("2027-1-1T0:0:0Z"),
                             Json("2027-01-01T24:00:00Z"), Json("2027-13-01T00:00:00Z"), Json("1969-12-31T23:59:59Z"),
                             Json("2027-01-01T00:00:61Z"), Json(1), Json(nullptr), Json("")}) {
        CAPTURE(time.dump());
        for (const char* name : {"not_before", "not_after"}) {
            Json document = scene.good;
            document[name] = time;
            CHECK(scene.detail(document).find(std::string("/") + name + ": must be a time") == 0);
        }
    }
    Json backwards = scene.good;
    backwards["not_before"] = "2027-01-02T00:00:00Z";
    backwards["not_after"] = "2027-01-01T00:00:00Z";
    CHECK(scene.detail(backwards) == "/not_after: does not lie after not_before");
    Json leap = scene.good;
    leap["not_after"] = "2028-02-29T12:00:00Z";
    CHECK(scene.detail(leap) == "good");
}

TEST_CASE("the fleet's minimum policy epoch refuses older policies from the next evidence on", "[verifier][reference]") {
    Scene scene;
    REQUIRE(scene.add(scene.good).status == 200);
    const auto rule = [&](const std::string& body) { return scene.verifier.as_operator("POST", "/v1/rules", body); };
    CHECK(scene.verifier.as_operator("GET", "/v1/rules").body["minimum_policy_epoch"] == 0);
    CHECK(rule(R"({"minimum_policy_epoch":7})").status == 200);
    CHECK(scene.verifier.attest(*scene.platform).body["verdict"] == "affirming");
    CHECK(rule(R"({"minimum_policy_epoch":8})").body["minimum_policy_epoch"] == 8);
    const Reply refused = scene.verifier.attest(*scene.platform);
    CHECK(refused.words() == "policy_epoch_low");
    CHECK(refused.body["reasons"][0]["detail"].get<std::string>().find("expected 8, seen 7") != std::string::npos);
    CHECK(scene.verifier.store->audit_rows(10).at(0).action == "verdict");
    CHECK(scene.verifier.store->audit_rows(10).at(1).action == "set_rules");
    CHECK(scene.verifier.store->audit_rows(10).at(1).detail == "8");
    for (const char* bad : {"{}", R"({"minimum_policy_epoch":-1})", R"({"minimum_policy_epoch":"8"})", R"({"minimum_policy_epoch":1.5})",
                            R"({"minimum_policy_epoch":99999999999})", R"({"minimum_policy_epoch":8,"x":1})"})
        CHECK(rule(bad).code() == "rules");
    CHECK(scene.verifier.as_operator("GET", "/v1/rules").body["minimum_policy_epoch"] == 8);
}
