// SPDX-License-Identifier: Apache-2.0
// An agent without a relay and casemate-verifierd as two replicas, over TLS: its report, an operator's order and the owner's sealed secrets go
// by whichever replica, and outlive one that is killed. Only the hypervisor is a stand-in.
#include <catch2/catch.hpp>

#include "attest/agent/network_transport.hpp"
#include "attest/agent/operator_orders.hpp"
#include "tests/platform/verifier/replica.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

/// Takes every order.
struct Obedient final : agent::Control {
    std::vector<std::string> vms{};
    agent::Outcome<agent::ControlResponse> request(agent::ControlOperation operation, ByteView bytes) override {
        REQUIRE(operation == agent::ControlOperation::order);
        const ByteView name = bytes.subspan(4);
        vms.emplace_back(name.begin(), name.end());
        return agent::ControlResponse{agent::ControlStatus::ok, {0xA1, 0x00, 0x00}}; // {0: 0}
    }
    [[nodiscard]] std::uint32_t event_counter() const override { return 0; }
};

/// One life of an agent.
template <typename BackEnd>
class Agent {
public:
    Agent(const Deployment<BackEnd>& deployment, const Replica<BackEnd>& replica, const Platform& platform, Obedient& control)
        : client_{std::make_shared<relay::VerifierClient>("https://127.0.0.1:" + std::to_string(replica.port()), deployment.keys / "ca.pem",
                                                          std::chrono::seconds{20}, 1 << 20)},
          transport_{[client = client_](const relay::VerifierCall& call) { return client->call(call); }}, hypervisor_{control}, platform_{platform} {}

    /// Sends a report and obeys; true when there was a new order.
    bool report() {
        const Json status{{"uptime_ms", ++sent_}, {"agent", {{"operator_orders", orders_.results()}}}};
        const auto answer = transport_.exchange({"POST", transport_.report_path(platform_.id), platform_.token, status});
        REQUIRE(answer.ok());
        REQUIRE(answer.value().status == 200);
        return orders_.obey(answer.value().body, hypervisor_).value();
    }
    agent::Response secrets(const std::string& of) {
        return transport_.exchange({"GET", transport_.secrets_path(of), platform_.token, nullptr}).value();
    }

private:
    std::shared_ptr<relay::VerifierClient> client_;
    agent::NetworkTransport transport_;
    agent::HypervisorClient hypervisor_;
    const Platform& platform_;
    agent::OperatorOrders orders_;
    int sent_ = 0;
};

} // namespace

TEMPLATE_TEST_CASE("an agent without a relay reports, obeys and fetches its secrets by whichever replica", "[replicas][mail]", OnSqlite, OnPostgresql) {
    Deployment<TestType> deployment;
    const auto platform = deployment.platform('a'), other = deployment.platform('b');
    const std::string at = "/v1/platforms/" + platform->id;
    Obedient control;
    const Replica<TestType> one{deployment};
    auto two = std::make_unique<Replica<TestType>>(deployment);
    Agent<TestType> agent{deployment, one, *platform, control};
    CHECK_FALSE(agent.report());
    CHECK(two->as_operator("GET", at + "/status").body["report"]["uptime_ms"] == 1);
    CHECK(two->as_operator("POST", at + "/operator-orders", R"({"vm":"disk0","order":"stop"})").body["id"] == 1);
    CHECK(two->as_operator("POST", at + "/secrets", R"({"secrets":[{"vm":"disk0","name":"key","sealed":"AQID","approvals":[]}]})").status == 200);
    CHECK(WIFSIGNALED(two->end(SIGKILL)));
    two = std::make_unique<Replica<TestType>>(deployment);

    Agent<TestType> stranger{deployment, one, *other, control};
    CHECK_FALSE(stranger.report()); // another platform's order
    CHECK(stranger.secrets(platform->id).status == 401);
    CHECK(agent.report());
    CHECK(control.vms == std::vector<std::string>{"disk0"});
    CHECK(agent.secrets(platform->id).body["secrets"][0]["sealed"] == "AQID");
    CHECK_FALSE(agent.report()); // tells the result
    const Json told = two->as_operator("GET", at + "/operator-orders").body["orders"][0];
    CHECK(told["state"] == "told");
    CHECK(told["error"] == 0);

    Agent<TestType> anew{deployment, *two, *platform, control};
    CHECK_FALSE(anew.report());
    CHECK(control.vms.size() == 1);
    CHECK(two->as_operator("POST", at + "/operator-orders", R"({"vm":"net0","order":"restart"})").body["id"] == 2);
    CHECK(anew.report());
    CHECK(control.vms.back() == "net0");
}
