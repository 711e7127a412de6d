// SPDX-License-Identifier: Apache-2.0
// Firmware over the API: the reference document is read strictly, the challenge asks for PCR 0-7 when it must, and a reference
// that was given decides.
#include <catch2/catch.hpp>

#include "tests/unit/firmware_sample.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

std::string hex_of(TPM_ALG_ID bank, std::uint8_t measured) {
    return verifier::to_hex(measure::hash(bank, ByteView{&measured, 1}).view());
}

struct Scene {
    Scene() { boot(); }
    /// The firmware runs; from here on its PCRs are quoted with its log.
    void boot() {
        EvidenceBuilder& builder = platform->builder;
        builder.firmware_log = sample.log();
        attest::Reasons reasons;
        builder.firmware_pcrs = attest::replay_firmware(builder.firmware_log, builder.expected_banks, reasons);
        for (attest::PcrSelection& each : builder.selection) each.pcrs = all_launch_pcrs | 0xff;
    }
    void stay_silent() {
        platform->builder.firmware_log.clear();
        for (attest::PcrSelection& each : platform->builder.selection) each.pcrs = all_launch_pcrs;
    }
    [[nodiscard]] Json firmware() const {
        Json values = Json::object(), events = Json::array({Json::object(), Json::object()});
        for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384}) {
            values[measure::name_of(bank)] = {verifier::to_hex(platform->builder.firmware_pcrs->value(bank, 0).view())};
            for (const std::uint8_t i : {0, 1})
                events[i][measure::name_of(bank)] = {hex_of(bank, 77), hex_of(bank, static_cast<std::uint8_t>(3 + i))};
        }
        return {{{"pcr", 0}, {"values", values}}, {{"pcr", 4}, {"events", events}}};
    }
    std::string import(const Json& firmware) {
        Json document = TestVerifier::reference(*platform);
        document["firmware"] = firmware;
        const Reply reply = verifier.as_operator("POST", "/v1/reference", document.dump());
        return reply.status == 200 ? "good" : reply.body["error"]["detail"].get<std::string>();
    }

    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');
    FirmwareSample sample;
};

} // namespace

TEST_CASE("a fleet's firmware reference decides, and its challenge asks for PCR 0-7", "[verifier][firmware]") {
    Scene scene;
    REQUIRE(scene.verifier.accept(*scene.platform).status == 200);
    CHECK(scene.verifier.challenge(*scene.platform)["pcr_selection"]["sha256"] == Json({17, 18, 19, 20, 21, 22}));
    CHECK(scene.verifier.attest(*scene.platform).words() == "");
    scene.stay_silent();
    CHECK(scene.verifier.attest(*scene.platform).words() == "");
    scene.boot();
    const Json listed = scene.verifier.as_operator("GET", "/v1/reference").body;
    for (const Json& set : listed["references"])
        REQUIRE(scene.verifier.as_operator("DELETE", "/v1/reference/" + set["reference_id"].get<std::string>()).status == 200);
    REQUIRE(scene.import(scene.firmware()) == "good");
    CHECK(scene.verifier.challenge(*scene.platform)["pcr_selection"]["sha384"] == Json({0, 1, 2, 3, 4, 5, 6, 7, 17, 18, 19, 20, 21, 22}));
    CHECK(scene.verifier.attest(*scene.platform).words() == "");
    scene.stay_silent();
    CHECK(scene.verifier.attest(*scene.platform).words() == "firmware_missing");
    scene.sample.events[3].measured = {99};
    scene.boot();
    const Reply other = scene.verifier.attest(*scene.platform);
    CHECK(other.words() == "firmware_differs");
    CHECK(other.body["explanation"].get<std::string>().find("firmware PCR 4 event 2") != std::string::npos);
}

TEST_CASE("stored evidence with a firmware log is judged again with the same verdict", "[verifier][firmware]") {
    Scene scene;
    REQUIRE(scene.import(scene.firmware()) == "good");
    REQUIRE(scene.verifier.attest(*scene.platform).words() == "");
    const std::int64_t result = scene.verifier.store->newest_result(scene.platform->id)->id;
    const Reply again = scene.verifier.as_operator("POST", "/v1/results/" + std::to_string(result) + "/appraisal", "{}");
    CHECK(again.body["same"] == true);
    CHECK(again.body["verdict"] == "affirming");
}

TEST_CASE("a firmware reference that is not understood whole is refused", "[verifier][firmware][reference]") {
    Scene scene;
    const Json good = scene.firmware();
    const auto bent = [&](auto bend) {
        Json document = good;
        bend(document);
        return scene.import(document);
    };
    CHECK(scene.import(Json::array()) == "/firmware: must be a list of 1 to 8 items");
    CHECK(scene.import({{"0", "00"}}) == "/firmware: must be a list of 1 to 8 items");
    CHECK(bent([](Json& d) { d[0]["colour"] = 1; }) == "/firmware/0/colour: unknown member");
    CHECK(bent([](Json& d) { d[0]["pcr"] = 8; }) == "/firmware/0/pcr: must be 0 to 7, each once and in ascending order");
    CHECK(bent([](Json& d) { d[1]["pcr"] = 0; }) == "/firmware/1/pcr: must be 0 to 7, each once and in ascending order");
    CHECK(bent([](Json& d) { d[0].erase("values"); }) == "/firmware/0: must have \"values\" or \"events\", or both");
    CHECK(bent([](Json& d) { d[0]["values"].erase("sha256"); }) == "/firmware/0/values: \"sha256\" is missing");
    CHECK(bent([](Json& d) { d[0]["values"]["sm3"] = "00"; }) == "/firmware/0/values/sm3: unknown member");
    CHECK(bent([](Json& d) { d[0]["values"]["sha256"] = Json::array(); }) == "/firmware/0/values/sha256: must be a list of 1 to 64 items");
    CHECK(bent([](Json& d) { d[0]["values"]["sha256"][0] = "00"; }) == "/firmware/0/values/sha256/0: must be 32 bytes of lower-case hex");
    CHECK(bent([](Json& d) { d[1]["events"] = Json::array(); }) == "/firmware/1/events: must be a list of 1 to 1024 items");
    CHECK(bent([](Json& d) { d[1]["events"][1].erase("sha256"); }) == "/firmware/1/events/1: \"sha256\" is missing");
    CHECK(scene.verifier.service->reference_count() == 0);
    CHECK(scene.import(good) == "good");
}

TEST_CASE("a firmware log in evidence must be base64 of a bounded size", "[verifier][firmware]") {
    Scene scene;
    REQUIRE(scene.verifier.accept(*scene.platform).status == 200);
    Json evidence = scene.platform->evidence(scene.verifier.challenge(*scene.platform));
    for (const Json& bad : {Json(""), Json("!"), Json(5), Json(nullptr), Json(std::string(800'000, 'A'))}) {
        evidence["firmware_log"] = bad;
        CHECK(scene.verifier.submit(*scene.platform, evidence).code() == "member");
    }
}
