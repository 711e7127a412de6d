// SPDX-License-Identifier: Apache-2.0
// The grant key in a PKCS#11 token (SoftHSM) and in a TPM (swtpm), as docs/interfaces/grant-key.md says how to make them: real
// devices that are taken away, given another key, and asked with a wrong PIN; and casemate-verifierd with each.
#include <catch2/catch.hpp>

#include "attest/grant/grant_sign.hpp"
#include "attest/keystore/open_key.hpp"
#include "tests/platform/verifier/replica.hpp"
#include "tests/platform/verifier/signing_devices.hpp"

using namespace casemate;
using namespace casemate::test;
using cose::SignError;

namespace {

/// A grant that the hypervisor's own code accepts, many times: half of what a device makes has a high s.
void check_signs(const cose::Signer& signer) {
    const auto key = measure::P256PublicKey::create(signer.public_key());
    REQUIRE(key.ok());
    grant::Claims claims;
    claims.lease = 60;
    for (std::uint64_t i = 0; i < 12; ++i) {
        claims.evidence_clock = i;
        const auto message = grant::sign(claims, signer);
        REQUIRE(message.ok());
        const auto verified = grant::verify(message.value(), key.value());
        REQUIRE(verified.ok());
        CHECK(verified.value().claims() == claims);
    }
}

std::string refusal(const std::string& locator, const std::filesystem::path& secret) {
    const auto signer = keystore::open_key(locator, secret);
    return signer.ok() ? "opened" : signer.error();
}

bool has(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

const ByteView words = verifier::as_bytes("words");

} // namespace

TEST_CASE("a key in a PKCS#11 token signs grants", "[devices]") {
    const Token token;
    const auto signer = keystore::open_key(Token::uri(), token.pin);
    REQUIRE(signer.ok());
    check_signs(signer.value());
    CHECK(keystore::open_key(Token::uri("id=%01"), token.pin).value().public_key() == signer.value().public_key());

    SECTION("what does not name this one key is refused with a sentence") {
        CHECK(has(refusal(Token::uri("object=other"), token.pin), "no such elliptic-curve private key"));
        CHECK(has(refusal(Token::uri("object=grant", "another"), token.pin), "no token"));
        CHECK(has(refusal(std::string{"pkcs11:token=casemate?module-path="} + softhsm_library, token.pin), "by object or id"));
        token.make_key("grant", "02");
        CHECK(has(refusal(Token::uri(), token.pin), "more than one"));
        CHECK(refusal(Token::uri("object=grant;id=%02"), token.pin) == "opened");
        token.make_key("large", "03", "EC:secp384r1");
        CHECK(has(refusal(Token::uri("object=large"), token.pin), "P-256"));
        token.make_key("rsa", "04", "rsa:2048");
        CHECK(has(refusal(Token::uri("object=rsa"), token.pin), "no such elliptic-curve"));
    }
    SECTION("a key that goes away stops signing, and another in its place is not used") {
        token.remove_key("01");
        CHECK(signer.value().sign(words, {}).error() == SignError::device_key);
        token.make_key("grant", "01");
        CHECK(signer.value().sign(words, {}).error() == SignError::device_key);
    }
    SECTION("a token that goes away is a refusal") {
        std::filesystem::remove_all(token.directory / "tokens");
        std::filesystem::create_directory(token.directory / "tokens");
        CHECK_FALSE(signer.value().sign(words, {}).ok());
        CHECK_FALSE(signer.value().sign(words, {}).ok());
    }
}

TEST_CASE("a wrong PIN, or none, opens no token", "[devices]") {
    const Token token;
    const std::filesystem::path wrong = token.directory / "wrong";
    write_secret(wrong, "99999999");
    CHECK(has(refusal(Token::uri(), wrong), "log in"));
    CHECK_FALSE(has(refusal(Token::uri(), wrong), "99999999"));
    CHECK(refusal(Token::uri(), "") != "opened");
    CHECK(refusal(Token::uri(), token.pin) == "opened");
}

TEST_CASE("a key in a TPM signs grants", "[devices]") {
    ::setenv("TSS2_LOG", "all+none", 1); // refusals are expected below
    OwnerTpm tpm;
    const auto signer = keystore::open_key(tpm.locator(), tpm.password);
    REQUIRE(signer.ok());
    check_signs(signer.value());

    SECTION("a restarted TPM is opened again; one that stays away is a refusal") {
        tpm.swtpm.reset();
        CHECK(signer.value().sign(words, {}).error() == SignError::device);
        tpm.start();
        CHECK(signer.value().sign(words, {}).ok());
    }
    SECTION("another key at the handle is not used") {
        tpm.swtpm.reset();
        std::filesystem::remove_all(tpm.directory / "tpm");
        std::filesystem::create_directory(tpm.directory / "tpm");
        tpm.start();
        CHECK_FALSE(signer.value().sign(words, {}).ok());
        tpm.make_key("a long and random password");
        CHECK(signer.value().sign(words, {}).error() == SignError::device_key);
    }
    SECTION("a key that is made for something else is refused") {
        CHECK(has(refusal(tpm.locator("0x81010011"), tpm.password), "find the key"));
        tpm.remove_key();
        tpm.make_key("a long and random password", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|restricted");
        CHECK(has(refusal(tpm.locator(), tpm.password), "not restricted"));
    }
}

TEST_CASE("a wrong password, or none, opens no TPM key, and is tried once", "[devices]") {
    ::setenv("TSS2_LOG", "all+none", 1);
    const OwnerTpm tpm;
    const std::filesystem::path wrong = tpm.directory / "wrong";
    write_secret(wrong, "another password");
    CHECK(has(refusal(tpm.locator(), wrong), "PIN or password"));
    CHECK(has(refusal(tpm.locator(), ""), "PIN or password"));
    CHECK(refusal(tpm.locator(), tpm.password) == "opened");
}

TEST_CASE("casemate-verifierd grants with a key in a TPM, and says when it has lost it", "[devices]") {
    OwnerTpm tpm;
    Deployment<OnSqlite> deployment;
    *deployment.grant_key = keystore::open_key(tpm.locator(), tpm.password).value();
    const auto platform = deployment.platform('a');
    Replica<OnSqlite> replica{deployment, {"--grant-key-secret", tpm.password, "--metrics-token", deployment.keys / "operator.token"},
                              tpm.locator()};
    REQUIRE(replica.accept(*platform).status == 200);
    const auto attest = [&] {
        auto caller = replica.caller();
        const std::string path = "/v1/platforms/" + platform->id;
        const Json challenge = caller.call("POST", path + "/challenges", platform->token, "{}").body;
        return caller.call("POST", path + "/evidence", platform->token, platform->evidence(challenge).dump());
    };
    const Reply granted = attest();
    CHECK(granted.body["verdict"] == "affirming");
    CHECK(granted.body["grants"].size() > 0);
    CHECK(replica.caller().call("GET", "/readyz", "").status == 200);
    tpm.swtpm.reset();
    CHECK(attest().code() == "signing_unavailable");
    Reply ready = replica.caller().call("GET", "/readyz", "");
    for (int i = 0; i < 200 && ready.status == 200; ++i) { // what it found before is good for some seconds
        ::usleep(50'000);
        ready = replica.caller().call("GET", "/readyz", "");
    }
    CHECK(ready.status == 503);
    CHECK(ready.body["reasons"][0]["code"] == "signing_unavailable");
    CHECK(replica.caller().call("GET", "/healthz", "").status == 200);
    tpm.start();
    CHECK(attest().body["verdict"] == "affirming");
    CHECK(replica.end(SIGTERM) == 0);
}

TEST_CASE("casemate-verifierd does not start with a key that cannot sign", "[devices]") {
    const Token token;
    Deployment<OnSqlite> deployment;
    const auto start = [&](const std::string& key, const std::filesystem::path& secret) {
        const std::filesystem::path& keys = deployment.keys;
        const std::filesystem::path words_of_it = deployment.directory / "words";
        const int status = Child{{CASEMATE_VERIFIERD, "--store", deployment.back_end.where(), "--listen", "127.0.0.1:0", "--tls-certificate",
                                  keys / "server.pem", "--tls-key", keys / "server.key.pem", "--operator-token", keys / "operator.token",
                                  "--grant-key", key, "--grant-key-secret", secret}, words_of_it}.wait();
        CHECK(WEXITSTATUS(status) == 2);
        std::ifstream file{words_of_it};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    CHECK(has(start(Token::uri("object=none"), token.pin), "no such elliptic-curve private key"));
    CHECK(has(start("tpm:0x81010010?tcti=swtpm:path=" + (token.directory / "none").string(), token.pin), "connect to the TPM"));
    CHECK(has(start(Token::uri() + "&pin-value=24680135", token.pin), "must not have pin-value"));
    ::chmod(token.pin.c_str(), 0644);
    CHECK(has(start(Token::uri(), token.pin), "mode 0600"));
}
