// SPDX-License-Identifier: Apache-2.0
// One message of the management UART: the agent's request to the relay's response, as JSON (docs/interfaces/relay.md).
// UNTRUSTED: the request. What may reach the verifier is an allow-list: two methods, paths under /v1/ of plain
// characters, tokens without control characters.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "attest/relay/verifier_client.hpp"

namespace casemate::relay {

class Exchange {
public:
    using Verifier = std::function<VerifierAnswer(const VerifierCall&)>;
    using Report = std::function<void(const std::string& json)>;
    using Waiting = std::function<std::string()>;

    /// `orders` and `secrets`: what waits for the agent, each a JSON object; anything else counts as none.
    Exchange(Verifier verifier, Report report, Waiting orders = {}, Waiting secrets = {})
        : verifier_{std::move(verifier)}, report_{std::move(report)}, orders_{std::move(orders)}, secrets_{std::move(secrets)} {}

    /// The response's payload; empty when the request has no usable id, so that nobody could match a response.
    [[nodiscard]] std::string answer(std::string_view payload) const;

private:
    Verifier verifier_;
    Report report_;
    Waiting orders_, secrets_;
};

} // namespace casemate::relay
