// SPDX-License-Identifier: Apache-2.0
// Platforms whose keys, PCRs and quotes are a real TPM's, by the agent's own code, against the real casemate-verifierd.
#include <catch2/catch.hpp>

#include <optional>

#include <boost/asio/co_spawn.hpp>

#include "tests/fleet/client.hpp"
#include "tests/fleet/materials.hpp"
#include "tests/fleet/player.hpp"
#include "tests/fleet/service_process.hpp"
#include "tests/fleet/swtpm.hpp"

using namespace casemate;
using namespace casemate::fleet;
using verifier::from_base64;
using verifier::to_base64;

namespace {

template <typename T>
T take(Result<T, agent::Error> result) {
    if (!result.ok()) throw std::runtime_error(result.error().what);
    return std::move(result).value();
}

measure::LaunchId launch_id() {
    measure::LaunchId id{};
    const Bytes random = verifier::random_bytes(id.size());
    std::copy(random.begin(), random.end(), id.begin());
    return id;
}

/// One that speaks for its TPM.
class RealPlatform {
public:
    RealPlatform(const std::filesystem::path& directory, EkKind kind, Materials& materials)
        : materials_{materials}, tpm{directory, kind, materials.authority()}, launch_{materials.model().launched(launch_id())} {
        tpm.launch(materials.model(), launch_.log);
    }
    void connect(boost::asio::io_context& io, Target& target) {
        io_ = &io;
        client_.emplace(io, target);
        run(client_->connect());
    }

    [[nodiscard]] Json begin_enrolment() {
        agent::Tpm open = tpm.open();
        const auto ek = take(open.endorsement_key());
        const auto ak = take(open.attestation_key());
        const Json offer{{"ek_certificate", to_base64(ek.certificate)}, {"ek_public", to_base64(ek.public_area)},
                         {"ak_public", to_base64(ak.public_area)}, {"banks", {"sha256", "sha384"}}};
        return call("/v1/enrolments", offer.dump());
    }
    /// Empty when the TPM does not give the secret away.
    [[nodiscard]] Bytes secret_of(const Json& begun) {
        agent::Tpm open = tpm.open();
        const auto ek = take(open.endorsement_key());
        const auto ak = take(open.attestation_key());
        const auto secret = open.activate(ek, ak, *from_base64(begun.at("credential_blob").get<std::string>()),
                                          *from_base64(begun.at("encrypted_secret").get<std::string>()));
        return secret.ok() ? secret.value() : Bytes{};
    }
    [[nodiscard]] Json activate(const Json& begun) {
        const std::string path = "/v1/enrolments/" + begun.at("enrolment_id").get<std::string>() + "/activation";
        Json activated = call(path, Json{{"secret", to_base64(secret_of(begun))}}.dump());
        id_ = activated.value("platform_id", "");
        token_ = activated.value("token", "");
        return activated;
    }
    [[nodiscard]] Json attest() {
        const Json challenge = call("/v1/platforms/" + id_ + "/challenges", "{}");
        agent::Tpm open = tpm.open();
        const auto ak = take(open.attestation_key());
        const std::string challenge_id = challenge.at("challenge_id");
        const auto quote = take(open.quote(ak, challenge.at("pcr_selection").get<agent::PcrSelection>(),
                                           attest::qualifying_data(*from_base64(challenge.at("nonce").get<std::string>()), launch_.launch_id, challenge_id)));
        return call("/v1/platforms/" + id_ + "/evidence",
                    encode_body({challenge_id, quote.attested, quote.signature, launch_.log, launch_.gates, launch_.leases}));
    }
    /// The hypervisor takes the grants; its TPM sees it.
    void accept(const Json& answer) {
        std::vector<HeldGrant> held;
        for (const Json& text : answer.at("grants")) {
            const Bytes message = *from_base64(text.get<std::string>());
            const auto verified = grant::verify(message, materials_.grant_key());
            REQUIRE(verified);
            held.push_back({verified.value().claims(), measure::sha256(message)});
        }
        const Bytes before = launch_.log;
        launch_ = materials_.model().running(launch_.launch_id, held, 0);
        REQUIRE(launch_.log.size() > before.size());
        REQUIRE(std::equal(before.begin(), before.end(), launch_.log.begin()));
        tpm.extend(launch_.log);
    }

private:
    void run(Task<> task) {
        std::exception_ptr failure;
        boost::asio::co_spawn(*io_, std::move(task), [&](std::exception_ptr thrown) { failure = thrown; });
        io_->restart();
        io_->run();
        if (failure) std::rethrow_exception(failure);
    }
    [[nodiscard]] Json call(std::string path, std::string body) {
        HttpReply reply;
        const auto task = [](Client& client, HttpCall request, HttpReply& out) -> Task<> { out = co_await client.call(std::move(request)); };
        run(task(*client_, {"POST", std::move(path), token_, std::move(body)}, reply));
        return Json::parse(reply.body);
    }

    Materials& materials_;

public:
    Swtpm tpm;

private:
    LaunchState launch_;
    boost::asio::io_context* io_ = nullptr;
    std::optional<Client> client_;
    std::string id_;
    std::string token_;
};

std::string word_of(const Json& answer) { return Reply{200, answer}.word(); }

} // namespace

TEST_CASE("platforms with real TPMs, RSA and ECC, enrol, are granted their devices and renew", "[fleet][swtpm]") {
    const test::ScratchDirectory scratch;
    Materials materials{scratch / "materials"};
    RealPlatform rsa{scratch / "rsa", EkKind::rsa2048, materials}, ecc{scratch / "ecc", EkKind::ecc_p256, materials};
    std::vector<std::string> options = materials.verifier_options();
    options.insert(options.end(), {"--quiet", "--ek-ca", rsa.tpm.certificates()});
    ServiceProcess service{std::filesystem::read_symlink("/proc/self/exe").parent_path() / "casemate-verifierd", scratch.path(), options};
    boost::asio::io_context io{1};
    Target target{service.port(), materials.file("tls.pem")};
    for (RealPlatform* each : {&rsa, &ecc}) each->connect(io, target);

    const Json rsa_begun = rsa.begin_enrolment(), ecc_begun = ecc.begin_enrolment();
    REQUIRE(word_of(rsa_begun) == "ok");
    REQUIRE(word_of(ecc_begun) == "ok");
    CHECK(rsa.secret_of(ecc_begun).empty()); // a credential is for one TPM
    CHECK(ecc.secret_of(rsa_begun).empty());
    REQUIRE(word_of(rsa.activate(rsa_begun)) == "ok");
    REQUIRE(word_of(ecc.activate(ecc_begun)) == "ok");
    for (RealPlatform* each : {&rsa, &ecc}) {
        const Json granted = each->attest();
        CHECK(word_of(granted) == "affirming");
        REQUIRE(granted.at("grants").size() == 2);
        each->accept(granted);
        for (int round = 0; round < 2; ++round) {
            const Json renewed = each->attest();
            CHECK(word_of(renewed) == "affirming");
            CHECK(renewed.at("grants").size() == 2);
        }
    }
    CHECK(service.stop() == 0);
}

TEST_CASE("a TPM whose certificate is by an authority that nobody trusts does not enrol", "[fleet][swtpm]") {
    const test::ScratchDirectory scratch;
    Materials materials{scratch / "materials"};
    RealPlatform rsa{scratch / "rsa", EkKind::rsa2048, materials};
    std::vector<std::string> options = materials.verifier_options();
    options.push_back("--quiet");
    ServiceProcess service{std::filesystem::read_symlink("/proc/self/exe").parent_path() / "casemate-verifierd", scratch.path(), options};
    boost::asio::io_context io{1};
    Target target{service.port(), materials.file("tls.pem")};
    rsa.connect(io, target);
    CHECK(word_of(rsa.begin_enrolment()) == "ek_certificate_path");
}
