// SPDX-License-Identifier: Apache-2.0
// Requests to the verifier from the agent itself, over HTTPS: the relay's exchange with no line before it. What is the relay's own (status
// reports, sealed secrets) ends here: nobody stands at the other side.
// Invariant: TLS 1.3 under a pinned authority; every call ends in time. UNTRUSTED: what comes back, as with the line.
#pragma once

#include "attest/agent/transport.hpp"
#include "attest/relay/exchange.hpp"

namespace casemate::agent {

class NetworkTransport final : public Transport {
public:
    explicit NetworkTransport(relay::Exchange::Verifier verifier) : exchange_{std::move(verifier), [](const std::string&) {}} {}

    Outcome<Response> exchange(const Request& request) override;

private:
    relay::Exchange exchange_;
    std::uint64_t last_id_ = 0;
};

} // namespace casemate::agent
