// SPDX-License-Identifier: Apache-2.0
// See road.hpp. The VM has no clock that it could trust, so the time of the verifier's certificate is not looked at; its authority is in
// this VM's measured image. The network can delay and drop, never forge: quotes and grants are signed.
#include "attest/agent/network_transport.hpp"
#include "attest/agent/road.hpp"

namespace casemate::agent {
namespace {

constexpr std::size_t max_answer = 1 << 20;

} // namespace

RoadOptions usual_road() { return {.line = {}, .verifier = {}, .authority = "/etc/casemate/verifier-ca.pem", .patience = {}}; }

Outcome<std::unique_ptr<Transport>> open_road(const RoadOptions& options) {
    if (!options.verifier.starts_with("https://")) return fail("--verifier must begin with https://");
    auto client = std::make_shared<relay::VerifierClient>(options.verifier, options.authority, options.patience, max_answer);
    client->ignore_certificate_time();
    return std::unique_ptr<Transport>{std::make_unique<NetworkTransport>([client](const relay::VerifierCall& call) { return client->call(call); })};
}

} // namespace casemate::agent
