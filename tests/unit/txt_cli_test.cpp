// SPDX-License-Identifier: Apache-2.0
// `casemate-attest evidence explain` on the log of a TXT launch, as a process: what it prints, its exit status, and that a half-given
// quote is wrong usage.
#include <catch2/catch.hpp>

#include "attest/txt/prediction.hpp"
#include "tests/unit/run_program.hpp"
#include "tests/unit/txt_sample.hpp"
#include "tests/unit/verifier_scratch.hpp"

#include <cstdio>
#include <fstream>

#include <sys/wait.h>

using namespace casemate;
using namespace casemate::test;

namespace {

struct Scene {
    ScratchDirectory directory;
    QuotingKey key;
    QuoteSample quote;
    Bytes log = TxtSample::details().log();

    Scene() {
        const txt::QuoteFiles files = quote.files(pcrs_of(log), key);
        write("log", log), write("quote", files.message), write("signature", files.signature), write("ak", files.ak);
    }
    void write(const char* name, const Bytes& bytes) const {
        std::ofstream{path(name), std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    [[nodiscard]] std::string path(const char* name) const { return (directory.path() / name).string(); }
    [[nodiscard]] std::string quoted() const { return " --quote " + path("quote") + " --signature " + path("signature") + " --ak " + path("ak"); }
    [[nodiscard]] Ran explain(const std::string& more) const { return run_program(std::string{CASEMATE_ATTEST} + " evidence explain " + path("log") + more); }
};

} // namespace

TEST_CASE("a TXT log is explained by the command line, with and without a quote", "[cli][txt]") {
    const Scene scene;
    const Ran alone = scene.explain("");
    CHECK(alone.status == 1);
    CHECK(alone.output.starts_with("unproven\n"));
    CHECK(alone.says("PCR 17, MLE_HASH"));
    CHECK(alone.says("(by the log alone)"));
    const Ran proved = scene.explain(scene.quoted());
    CHECK(proved.status == 0);
    CHECK(proved.output.starts_with("proven\n"));
    CHECK(proved.says("remark  nonce_unchecked"));
    CHECK(scene.explain(scene.quoted() + " --nonce " + std::string(40, '7')).status == 0);
    const Ran stale = scene.explain(scene.quoted() + " --nonce 00 --json");
    CHECK(stale.status == 1);
    const auto document = verifier::Json::parse(stale.output);
    CHECK(document["verdict"] == "contraindicated");
    CHECK(document["reasons"][0]["code"] == "nonce_mismatch");
    CHECK(document["records"][1]["name"] == "PCR 17, HASH_START");
}

TEST_CASE("a reference of a TXT launch is never ignored", "[cli][txt]") {
    const Scene scene;
    auto facts = txt::facts_of(scene.log);
    REQUIRE(facts);
    const auto made = txt::predict(facts.value());
    REQUIRE(made);
    verifier::Json reference = made.value().reference.json();
    const auto with = [&] {
        std::ofstream{scene.path("reference.json")} << reference.dump();
        return scene.explain(scene.quoted() + " --reference " + scene.path("reference.json"));
    };
    CHECK(with().output.starts_with("affirming\n"));
    reference["banks"]["sha256"]["values"]["18"][0] = std::string(64, '0');
    const Ran other = with();
    CHECK(other.status == 1);
    CHECK(other.says("pcr_differs"));
    reference["more"] = 1;
    CHECK(with().status == 2);
}

TEST_CASE("a half-given quote is wrong usage", "[cli][txt]") {
    const Scene scene;
    CHECK(scene.explain(" --quote " + scene.path("quote")).status == 2);
    CHECK(scene.explain(" --nonce 00").status == 2);
    CHECK(scene.explain(scene.quoted() + " --nonce XY").status == 2);
    CHECK(scene.explain(scene.quoted() + " --ak " + scene.path("none")).status == 2);
}
