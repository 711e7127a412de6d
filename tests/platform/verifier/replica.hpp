// SPDX-License-Identifier: Apache-2.0
// casemate-verifierd as a process on one of the two back ends, and a caller of its API. Several may share a deployment: keys and
// database are the deployment's.
#pragma once

#include <fstream>

#include "attest/relay/verifier_client.hpp"
#include "tests/platform/verifier/child.hpp"
#include "tests/unit/store_backends.hpp"
#include "tests/unit/verifier_fixture.hpp"

namespace casemate::test {

/// What replicas have in common.
template <typename BackEnd>
struct Deployment {
    ScratchDirectory directory;
    BackEnd back_end;
    cose::Signer owner = new_signer();
    std::filesystem::path keys = directory / "keys";
    std::unique_ptr<cose::Signer> grant_key;
    int started = 0;

    Deployment() {
        REQUIRE(Child{{CASEMATE_KEYS, "init", keys}}.wait() == 0);
        grant_key = std::make_unique<cose::Signer>(cose::Signer::from_pem_file(keys / "grant.pem").value());
    }
    [[nodiscard]] std::string operator_token() const {
        std::ifstream file{keys / "operator.token"};
        std::string token;
        file >> token;
        return token;
    }
    /// As enrolment would leave it; its launch becomes a reference with `accept`.
    std::unique_ptr<Platform> platform(char digit) {
        auto made = std::make_unique<Platform>(owner, *grant_key);
        made->id = std::string(64, digit);
        made->token = std::string(64, digit);
        store::Platform row;
        row.identity = {made->id, {0x01}, made->ak_public(), {}, "sha1,sha256,sha384"};
        row.token_hash = verifier::to_bytes(verifier::sha256(verifier::as_bytes(made->token)));
        row.enrolled_at = verifier::system_now();
        row.token_expires_at = row.enrolled_at + 3'600'000;
        REQUIRE(back_end.open()->bind_platform(row) == store::BindOutcome::bound);
        return made;
    }
    /// Exit status and output of `casemate-attest` on this deployment's trail.
    [[nodiscard]] int verify_trail() {
        const std::string trail = directory / "trail";
        REQUIRE(Child{{CASEMATE_ATTEST, "audit", "export", "--store", back_end.where(), trail}}.wait() == 0);
        return Child{{CASEMATE_ATTEST, "audit", "verify", "--json", "--key", keys / "audit.pub.pem", trail}, directory / "verdict"}.wait();
    }
    [[nodiscard]] Json verdict() const {
        std::ifstream file{directory / "verdict"};
        return Json::parse(file);
    }
};

/// One thread's connection to a replica.
class Caller {
public:
    Caller(const std::string& url, const std::filesystem::path& authority)
        : client_{url, authority, std::chrono::seconds{20}, 1 << 20} {}

    Reply call(const std::string& method, const std::string& path, const std::string& token, const std::string& body = "") {
        const relay::VerifierAnswer answer = client_.call({method, path, token, body});
        return {answer.status, answer.status == 0 ? Json::object() : Json::parse(answer.body)};
    }
    Reply challenge(const Platform& of) { return call("POST", "/v1/platforms/" + of.id + "/challenges", of.token, "{}"); }
    Reply submit(const Platform& of, const Json& evidence) {
        return call("POST", "/v1/platforms/" + of.id + "/evidence", of.token, evidence.dump());
    }

private:
    relay::VerifierClient client_;
};

template <typename BackEnd>
class Replica {
public:
    /// `grant_key`: where it is, empty = the deployment's file.
    explicit Replica(Deployment<BackEnd>& deployment, std::vector<std::string> more = {}, const std::string& grant_key = {})
        : deployment_{deployment} {
        const std::filesystem::path port_file = deployment.directory / ("port" + std::to_string(++deployment.started)).c_str();
        const std::filesystem::path& keys = deployment.keys;
        std::vector<std::string> command{
            CASEMATE_VERIFIERD, "--store", deployment.back_end.where(), "--listen", "127.0.0.1:0", "--port-file", port_file,
            "--tls-certificate", keys / "server.pem", "--tls-key", keys / "server.key.pem", "--grant-key",
            grant_key.empty() ? (keys / "grant.pem").string() : grant_key,
            "--audit-key", keys / "audit.pem", "--checkpoint-rows", "50", "--operator-token", keys / "operator.token"};
        command.insert(command.end(), more.begin(), more.end());
        process_ = std::make_unique<Child>(std::move(command));
        for (int i = 0; i < 1000 && !std::filesystem::exists(port_file); ++i) ::usleep(10'000);
        std::ifstream file{port_file};
        REQUIRE(file >> port_);
    }
    [[nodiscard]] Caller caller() const {
        return {"https://127.0.0.1:" + std::to_string(port_), deployment_.keys / "ca.pem"};
    }
    Reply as_operator(const std::string& method, const std::string& path, const std::string& body = "") const {
        return caller().call(method, path, deployment_.operator_token(), body);
    }
    Reply accept(const Platform& of) const {
        return as_operator("POST", "/v1/reference", TestVerifier::reference(of).dump());
    }
    [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }
    void signal(int number) const { process_->signal(number); }
    int end(int signal) { return process_->end(signal); }

private:
    Deployment<BackEnd>& deployment_;
    std::unique_ptr<Child> process_;
    int port_ = 0;
};

} // namespace casemate::test
