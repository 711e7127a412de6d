// SPDX-License-Identifier: Apache-2.0
// Owners' keys in a PKCS#11 token (SoftHSM) and in a TPM (swtpm), as keys/README.md tells it: their certificates, a policy of one such owner,
// and one that two of three owners sign, each with a key in another place.
#include <catch2/catch.hpp>

#include "tests/platform/verifier/signing_devices.hpp"
#include "tests/unit/run_program.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

struct Scene {
    Scene() {
        ::setenv("TSS2_LOG", "all+none", 1); // refusals are expected below
        ::setenv("TSS2_LOGFILE", "/dev/null", 1);
        must(keys("make token alice" + key(token.uri(), token.pin)));
        must(keys("make chip bob" + key(tpm.locator(), tpm.password)));
        must(keys("make file carol"));
        must(keys("make approver approval"));
        must(keys("init verifier"));
        std::filesystem::create_directory(directory / "shared");
        for (const char* each : {"token/alice", "chip/bob", "file/carol", "approver/approval"})
            std::filesystem::copy(path(std::string{each} + ".crt.pem"), directory / "shared");
        std::ofstream{directory / "shared/owners.toml"} << "threshold = 2\nowners = [\"alice.crt.pem\", \"bob.crt.pem\", \"carol.crt.pem\"]\n"
                                                           "approval_key = \"approval.crt.pem\"\n";
    }
    [[nodiscard]] std::string path(const std::string& name) const { return directory / name.c_str(); }
    [[nodiscard]] static std::string key(const std::string& locator, const std::string& secret) {
        return " --key '" + locator + "' --key-secret " + secret;
    }
    [[nodiscard]] std::string keys(const std::string& arguments) const { return "cd " + directory.path().string() + " && " CASEMATE_KEYS " " + arguments; }
    [[nodiscard]] std::string policy(const std::string& arguments) const { return "cd " + directory.path().string() + " && " CASEMATE_POLICY " " + arguments; }
    [[nodiscard]] std::string compile(const std::string& who, const char* out) const {
        return policy("compile " CASEMATE_POLICY_SOURCE " --verifier-key verifier/grant.pub.pem " + who + " --out " + out);
    }
    [[nodiscard]] std::string sign(const std::string& who) const { return policy("sign draft.cbor --owners shared/owners.toml" + who); }
    static void must(const std::string& command, const char* words = "") {
        const Ran ran = run_program(command);
        INFO(command << "\n" << ran.output);
        REQUIRE(ran.status == 0);
        CHECK(ran.says(words));
    }
    static void refused(const std::string& command, const char* words) {
        const Ran ran = run_program(command);
        INFO(command << "\n" << ran.output);
        CHECK(ran.status == 1);
        CHECK(ran.says(words));
    }

    Token token;
    OwnerTpm tpm;
    ScratchDirectory directory;
};

} // namespace

TEST_CASE("a key in a device gets a certificate that it has signed itself, and no private half beside it", "[owner-devices]") {
    const Scene scene;
    for (const char* who : {"token/alice", "chip/bob"}) {
        const std::string name = scene.path(who);
        CHECK_FALSE(std::filesystem::exists(name + ".pem"));
        Scene::must("openssl verify -check_ss_sig -CAfile " + name + ".crt.pem -partial_chain " + name + ".crt.pem", "OK");
        Scene::must("openssl x509 -noout -text -in " + name + ".crt.pem", "ecdsa-with-SHA256");
        Scene::must("(openssl x509 -noout -pubkey -in " + name + ".crt.pem | cmp - " + name + ".pub.pem)");
    }
    Scene::must(scene.keys("status token"), "alice.crt.pem");
    const auto before = run_program("cat " + scene.path("token/alice.crt.pem")).output;
    Scene::must(scene.keys("make token alice" + Scene::key(scene.token.uri(), scene.token.pin))); // what is there stays
    CHECK(run_program("cat " + scene.path("token/alice.crt.pem")).output == before);
    Scene::refused(scene.keys("make token alice" + Scene::key(scene.tpm.locator(), scene.tpm.password)), "is not the public half");
    Scene::refused(scene.keys("make file carol" + Scene::key(scene.tpm.locator(), scene.tpm.password)), "that name is a key's in a file");
    Scene::refused(scene.keys("make token dave --development" + Scene::key(scene.token.uri(), scene.token.pin)), "--development");
    Scene::refused(scene.keys("make token dave" + Scene::key(scene.token.uri(), scene.tpm.password)), "log in");
    Scene::refused(scene.keys("make token dave" + Scene::key(scene.token.uri("object=none"), scene.token.pin)), "no such elliptic-curve");
    CHECK_FALSE(std::filesystem::exists(scene.path("token/dave.crt.pem")));
}

TEST_CASE("two of three owners sign, one with a token and one with a TPM; the third's file would have done as well", "[owner-devices]") {
    const Scene scene;
    Scene::must(scene.compile("--owners shared/owners.toml", "draft.cbor"), "2 signatures are missing");
    std::filesystem::copy(scene.path("draft.cbor"), scene.path("other.cbor"));
    const std::string alice = Scene::key(scene.token.uri(), scene.token.pin), bob = Scene::key(scene.tpm.locator(), scene.tpm.password);
    Scene::must(scene.sign(alice), "1 signature is missing");
    Scene::refused(scene.sign(alice), "signed it already");
    Scene::refused(scene.sign(Scene::key(scene.tpm.locator(), scene.token.pin)), "PIN or password");
    Scene::must(scene.sign(bob));
    Scene::must(scene.policy("show draft.cbor"));
    Scene::refused(scene.sign(" --key file/carol.pem"), "it is complete");

    std::filesystem::rename(scene.path("other.cbor"), scene.path("draft.cbor"));
    Scene::must(scene.sign(" --key file/carol.pem"), "1 signature is missing");
    Scene::must(scene.sign(bob));
    Scene::must(scene.policy("show draft.cbor"));
}

TEST_CASE("one owner with a token signs at once; a certificate of another key, or another key in the token, does not", "[owner-devices]") {
    const Scene scene;
    const std::string alice = Scene::key(scene.token.uri(), scene.token.pin);
    Scene::must(scene.compile("--certificate token/alice.crt.pem" + alice, "policy.cbor"));
    Scene::must(scene.policy("show policy.cbor"));
    Scene::refused(scene.compile("--certificate chip/bob.crt.pem" + alice, "none.cbor"), "is not of this key");
    scene.token.make_key("stranger", "02");
    Scene::must(scene.compile("--owners shared/owners.toml", "draft.cbor"));
    Scene::refused(scene.sign(Scene::key(scene.token.uri("object=stranger"), scene.token.pin)), "none of its owners'");
    CHECK_FALSE(std::filesystem::exists(scene.path("none.cbor")));
}
