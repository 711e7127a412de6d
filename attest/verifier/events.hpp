// SPDX-License-Identifier: Apache-2.0
// Server-sent events [HTML, 9.2] of everything that the audit trail gets: who has the last event's id goes on after it, on any replica,
// without loss or doubling. Invariants: the number of streams is bounded, in all and for one principal; a stream holds no lock and no
// transaction while its client reads; whose role or token ended gets nothing more after the next heartbeat.
// Called by the route GET /v1/events.
#pragma once

#include <atomic>

#include "attest/verifier/audit_tail.hpp"
#include "attest/verifier/http_server.hpp"
#include "attest/verifier/json.hpp"
#include "attest/verifier/peer_connections.hpp"

namespace casemate::verifier {

using StreamAnswer = Result<std::shared_ptr<HttpStream>, ApiError>;

class Events {
public:
    explicit Events(const Context& context) : context_{context}, tail_{context} {}

    /// `last_event_id` as the request has it, may be empty; `allowed` is asked again with each heartbeat.
    [[nodiscard]] StreamAnswer open(const Principal& principal, const std::string& last_event_id,
                                    std::function<bool()> allowed) const;

private:
    class Stream;
    /// Counted as long as it exists.
    class Place;

    const Context& context_;
    mutable AuditTail tail_;
    mutable std::atomic<std::size_t> open_{0};
    mutable PeerConnections of_principal_;
};

} // namespace casemate::verifier
