// SPDX-License-Identifier: Apache-2.0
// Agent, relay and verifier against a real TPM 2.0 (swtpm with an EK certificate of its own local authority): enrolment by
// credential activation, a challenge, and a genuine quote. Everything over the management line and HTTPS as in production;
// only the hypervisor is missing, so the quote is refused for its PCRs, which no launch has touched.
#include <catch2/catch.hpp>

#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "attest/agent/tpm.hpp"
#include "attest/agent/transport.hpp"
#include "attest/evidence/evidence_bundle.hpp"
#include "attest/relay/exchange.hpp"
#include "attest/relay/relay.hpp"
#include "attest/verifier/credential.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/tpm_public.hpp"
#include "tests/platform/verifier/child.hpp"
#include "tests/unit/verifier_fixture.hpp"
#include "tests/unit/verifier_server.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::Json;

namespace {

void wait_for(const std::filesystem::path& file) {
    for (int i = 0; i < 500 && !std::filesystem::exists(file); ++i) ::usleep(10'000);
    REQUIRE(std::filesystem::exists(file));
}

/// swtpm, manufactured here and now.
class RealTpm {
public:
    RealTpm() {
        std::filesystem::create_directory(directory / "ca");
        std::filesystem::create_directory(directory / "tpm");
        const std::string ca = directory / "ca";
        std::ofstream{directory / "localca.conf"} << "statedir = " << ca << "\nsigningkey = " << ca << "/key.pem\nissuercert = "
                                                  << ca << "/issuer.pem\ncertserial = " << ca << "/serial\n";
        std::ofstream{directory / "options"} << "--platform-manufacturer Test\n--platform-version 1\n--platform-model Test\n";
        std::ofstream{directory / "setup.conf"} << "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = "
                                                << (directory / "localca.conf").string() << "\ncreate_certs_tool_options = "
                                                << (directory / "options").string() << "\n";
        Child setup{{"swtpm_setup", "--tpm2", "--tpm-state", directory / "tpm", "--create-ek-cert", "--config",
                     directory / "setup.conf", "--pcr-banks", "sha256,sha384"}};
        REQUIRE(setup.wait() == 0);
        swtpm = std::make_unique<Child>(std::vector<std::string>{
            "swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + (directory / "tpm").string(), "--server",
            "type=unixio,path=" + (directory / "sock").string(), "--ctrl",
            "type=unixio,path=" + (directory / "sock.ctrl").string(), "--flags", "not-need-init,startup-clear"});
        wait_for(directory / "sock");
        wait_for(directory / "sock.ctrl");
    }
    [[nodiscard]] std::string tcti() const { return "swtpm:path=" + (directory / "sock").string(); }

    ScratchDirectory directory;
    std::unique_ptr<Child> swtpm;
};

} // namespace

TEST_CASE("a credential for an elliptic-curve EK is released by a real TPM", "[platform]") {
    const RealTpm real;
    ::setenv("TPM2TOOLS_TCTI", real.tcti().c_str(), 1);
    const auto path = [&](const char* name) { return (real.directory / name).string(); };
    const auto run = [](std::vector<std::string> command) {
        REQUIRE(Child{std::move(command)}.wait() == 0);
        REQUIRE(Child{{"tpm2_flushcontext", "-t"}}.wait() == 0); // no resource manager here
    };
    const auto content = [&](const char* name) {
        std::ifstream file{real.directory / name, std::ios::binary};
        return Bytes{std::istreambuf_iterator<char>{file}, {}};
    };
    run({"tpm2_createek", "-G", "ecc", "-c", path("ek.ctx"), "-u", path("ek.pub")});
    run({"tpm2_createak", "-C", path("ek.ctx"), "-c", path("ak.ctx"), "-u", path("ak.pub"), "-G", "ecc", "-g", "sha256", "-s", "ecdsa"});
    const auto ek = verifier::parse_endorsement_key(content("ek.pub"));
    const auto ak = verifier::parse_attestation_key(content("ak.pub"));
    REQUIRE(ek.ok());
    REQUIRE(ak.ok());
    CHECK(ek.value().kind == verifier::EndorsementKey::Kind::ecc_p256);
    const Bytes secret(32, 0x42);
    const verifier::Credential credential = verifier::make_credential(ek.value(), ak.value().name(), secret);
    // The file format of tpm2_activatecredential: magic, version, then both structures.
    const Bytes file = verifier::concatenate({verifier::big_endian(0xBADCC0DE, 4), verifier::big_endian(1, 4),
                                              credential.blob, credential.encrypted_secret});
    std::ofstream{real.directory / "credential", std::ios::binary}.write(reinterpret_cast<const char*>(file.data()),
                                                                         static_cast<std::streamsize>(file.size()));
    run({"tpm2_startauthsession", "--policy-session", "-S", path("session")});
    run({"tpm2_policysecret", "-S", path("session"), "-c", "e"});
    run({"tpm2_activatecredential", "-c", path("ak.ctx"), "-C", path("ek.ctx"), "-i", path("credential"), "-o",
         path("secret"), "-P", "session:" + path("session")});
    CHECK(content("secret") == secret);
}

TEST_CASE("a real TPM enrols, and its quote without a launch is refused for that", "[platform]") {
    ::setenv("TSS2_LOG", "all+none", 1); // refusals are expected below
    const RealTpm real;
    auto opened = store::open_sqlite_store(real.directory / "db");
    store::Store* rows = opened.get();
    verifier::set_log_level(verifier::LogLevel::error);
    verifier::EkAuthorities authorities;
    authorities.add(real.directory / "ca");
    CHECK(authorities.size() == 2);
    const cose::Signer owner = new_signer();
    const cose::Signer grant_key = new_signer();
    const Platform launched{owner, grant_key};
    verifier::Service service{{std::move(opened), grant_key, std::move(authorities), operator_token, {}, &verifier::system_now,
                               {{TestVerifier::reference(launched).dump(), "test"}}}};
    const TestServer server{[&](const verifier::HttpRequest& request) { return service.answer(request); }};

    // The relay as a thread between the line and HTTPS.
    const std::filesystem::path line = real.directory / "line";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    line.string().copy(address.sun_path, sizeof address.sun_path - 1);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener, 2) == 0);
    int stop[2];
    REQUIRE(::pipe2(stop, O_CLOEXEC) == 0);
    std::thread relay_thread{[&] { (void)relay::run_relay({line, server.url(), server.authority(), {}}, stop[0]); }};
    const int relay_side = ::accept(listener, nullptr, nullptr);
    auto transport = agent::StreamTransport::open(line.string(), std::chrono::seconds{20});
    REQUIRE(transport.ok());
    const int agent_side = ::accept(listener, nullptr, nullptr);
    const auto pump = [](int from, int to) {
        char buffer[4096];
        for (ssize_t n; (n = ::read(from, buffer, sizeof buffer)) > 0;)
            if (::write(to, buffer, static_cast<std::size_t>(n)) != n) return;
    };
    std::thread up{pump, agent_side, relay_side};
    std::thread down{pump, relay_side, agent_side};
    const auto ask = [&](const std::string& path, const std::string& token, const Json& body) {
        auto response = transport.value().exchange({"POST", path, token, body});
        REQUIRE(response.ok());
        return Reply{response.value().status, response.value().body};
    };

    auto tpm = agent::Tpm::create(real.tcti());
    REQUIRE(tpm.ok());
    const auto ek = tpm.value().endorsement_key();
    const auto ak = tpm.value().attestation_key();
    REQUIRE(ek.ok());
    REQUIRE(ak.ok());
    const Json offer{{"ek_certificate", verifier::to_base64(ek.value().certificate)},
                     {"ek_public", verifier::to_base64(ek.value().public_area)},
                     {"ak_public", verifier::to_base64(ak.value().public_area)},
                     {"banks", {"sha256", "sha384"}}};
    const auto enrol = [&] {
        const Reply begun = ask("/v1/enrolments", "", offer);
        REQUIRE(begun.status == 200);
        const auto secret = tpm.value().activate(ek.value(), ak.value(), *verifier::from_base64(begun.body["credential_blob"].get<std::string>()),
                                                 *verifier::from_base64(begun.body["encrypted_secret"].get<std::string>()));
        REQUIRE(secret.ok());
        return ask("/v1/enrolments/" + begun.body["enrolment_id"].get<std::string>() + "/activation", "",
                   {{"secret", verifier::to_base64(secret.value())}});
    };
    const Reply activated = enrol();
    REQUIRE(activated.status == 200);
    const std::string id = activated.body["platform_id"];
    const std::string token = activated.body["token"];
    CHECK(id == verifier::to_hex(verifier::sha256(ByteView{ek.value().public_area}.subspan(2))));
    CHECK(rows->platform(id)->identity.banks == "sha256,sha384");

    SECTION("a genuine quote of a TPM that saw no launch") {
        const Json challenge = ask("/v1/platforms/" + id + "/challenges", token, Json::object()).body;
        const agent::PcrSelection selection = challenge["pcr_selection"].get<agent::PcrSelection>();
        CHECK(selection.size() == 2);
        const auto data = attest::qualifying_data(*verifier::from_base64(challenge["nonce"].get<std::string>()),
                                                  launched.builder.launch_id, challenge["challenge_id"].get<std::string>());
        const auto quote = tpm.value().quote(ak.value(), selection, data);
        REQUIRE(quote.ok());
        Json evidence{{"challenge_id", challenge["challenge_id"]},
                      {"quote", verifier::to_base64(quote.value().attested)},
                      {"signature", verifier::to_base64(quote.value().signature)},
                      {"log", verifier::to_base64(launched.builder.log())},
                      {"gates", Json::array()},
                      {"leases", Json::array()}};
        const Reply appraised = ask("/v1/platforms/" + id + "/evidence", token, evidence);
        CHECK(appraised.status == 200);
        CHECK(appraised.body["verdict"] == "contraindicated");
        CAPTURE(appraised.body.dump());
        CHECK(appraised.words().find("signature") == std::string::npos);
        CHECK(appraised.words().find("nonce") == std::string::npos);
        CHECK(rows->platform(id)->last_clock.has_value()); // signature, nonce and selection were good
    }
    SECTION("the same platform again gets a new token, and the old one ends") {
        const Reply again = enrol();
        CHECK(again.body["platform_id"] == id);
        CHECK(ask("/v1/platforms/" + id + "/challenges", token, Json::object()).code() == "token_wrong");
        CHECK(ask("/v1/platforms/" + id + "/challenges", again.body["token"], Json::object()).status == 200);
    }
    SECTION("a wrong secret costs the enrolment") {
        const Reply begun = ask("/v1/enrolments", "", offer);
        const std::string path = "/v1/enrolments/" + begun.body["enrolment_id"].get<std::string>() + "/activation";
        const Json guess{{"secret", verifier::to_base64(Bytes(32, 0))}};
        CHECK(ask(path, "", guess).code() == "secret_wrong");
        CHECK(ask(path, "", guess).code() == "enrolment_unknown");
    }
    SECTION("keys and certificates that do not belong together are refused") {
        const auto code = [&](const char* member, const Bytes& value) {
            Json bent = offer;
            bent[member] = verifier::to_base64(value);
            return ask("/v1/enrolments", "", bent).code();
        };
        Bytes other_ek = ek.value().public_area;
        other_ek.back() ^= 2;
        CHECK(code("ek_public", other_ek) == "ek_certificate_other_key");
        other_ek[9] ^= 0x40; // userWithAuth: no default template
        CHECK(code("ek_public", other_ek) == "ek_template");
        Bytes loose_ak = ak.value().public_area;
        loose_ak[7] ^= 1; // restricted
        CHECK(code("ak_public", loose_ak) == "ak_attributes");
        Bytes bent_certificate = ek.value().certificate;
        bent_certificate.back() ^= 1; // the signature
        CHECK(code("ek_certificate", bent_certificate) == "ek_certificate_path");
        bent_certificate.pop_back();
        CHECK(code("ek_certificate", bent_certificate) == "ek_certificate_malformed");
        const verifier::EkAuthorities none;
        const auto parsed = verifier::parse_endorsement_key(ek.value().public_area);
        const auto unchecked = none.check(ek.value().certificate, *parsed.value().key);
        CHECK(unchecked.error().why == verifier::CertificateRefusal::Why::no_authority);
    }
    SECTION("a credential for another name is not released") {
        const auto parsed = verifier::parse_endorsement_key(ek.value().public_area);
        const verifier::Credential credential =
            verifier::make_credential(parsed.value(), Bytes(34, 0x0b), Bytes(32, 0x42));
        CHECK_FALSE(tpm.value().activate(ek.value(), ak.value(), credential.blob, credential.encrypted_secret).ok());
    }

    REQUIRE(::write(stop[1], "x", 1) == 1);
    ::shutdown(agent_side, SHUT_RDWR);
    ::shutdown(relay_side, SHUT_RDWR);
    relay_thread.join();
    up.join();
    down.join();
    for (const int fd : {agent_side, relay_side, listener, stop[0], stop[1]}) ::close(fd);
}
