// SPDX-License-Identifier: Apache-2.0
// Requests to the verifier from the agent itself, over HTTPS: the relay's exchange with no line before it. What the relay answers to the
// others (status reports, operator's orders, sealed secrets) the verifier answers here (docs/adr/0031).
// Invariant: TLS 1.3 under a pinned authority; every call ends in time. UNTRUSTED: what comes back, as with the line.
#pragma once

#include "attest/agent/transport.hpp"
#include "attest/relay/exchange.hpp"

namespace casemate::agent {

class NetworkTransport final : public Transport {
public:
    explicit NetworkTransport(relay::Exchange::Verifier verifier) : exchange_{std::move(verifier), [](const std::string&) {}} {}

    Outcome<Response> exchange(const Request& request) override;
    [[nodiscard]] std::string report_path(const std::string& platform_id) const override;
    [[nodiscard]] std::string secrets_path(const std::string& platform_id) const override;

private:
    relay::Exchange exchange_;
    std::uint64_t last_id_ = 0;
};

} // namespace casemate::agent
