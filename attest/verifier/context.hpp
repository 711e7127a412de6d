// SPDX-License-Identifier: Apache-2.0
// What every request handler works with: the store, the settings, the clock. Owned by the service (service.hpp).
#pragma once

#include <functional>

#include "attest/store/store.hpp"
#include "attest/verifier/crypto.hpp"
#include "attest/verifier/metrics.hpp"
#include "attest/verifier/principal.hpp"

namespace casemate::verifier {

using store::Millis;

struct Settings {
    Millis enrolment_lifetime = 300'000;       // a slow TPM needs seconds to activate a credential
    Millis challenge_lifetime = 120'000;
    Millis token_lifetime = 24LL * 3600 * 1000;
    std::int64_t lease_seconds = 60;           // asked for; the policy's maximum wins
    std::int64_t idle_seconds = 30;            // next evidence when no lease runs
    int kept_results = 200;                    // of each platform
    Millis result_lifetime = 300'000;          // exp - iat of a signed result
    bool inventory_only = false;               // enrol only platforms that the owner listed
    std::int64_t caller_rate = 0;              // requests a second of one platform or operator, 0 = no limit
    std::int64_t stranger_rate = 0;            // of one address without a good token or certificate, 0 = no limit
    std::size_t max_streams = 64;              // of events, open at a time
    std::size_t max_own_streams = 8;           // of one operator
    Millis heartbeat = 15'000;                 // of a stream; whether its principal may still read is looked at as often
    Millis silent_after = 0;                   // the alarm for a platform without an affirming verdict for so long, 0 = none
    std::size_t shown_ages = 100;              // platforms in the metrics, those that have waited longest
    Millis ready_lifetime = 5'000;             // how long what /readyz found is good
};

/// Store::rule(): the least policy epoch that evidence may have.
inline constexpr const char* minimum_epoch_rule = "minimum_policy_epoch";

struct Context {
    store::Store& store;
    Settings settings;
    Sha256 operator_token_hash{};
    std::function<Millis()> now;
    std::shared_ptr<Metrics> metrics;

    /// One row of the audit trail, stamped with the present: in the open unit of the store, or by itself.
    void audit(std::string actor, std::string action, std::string object, std::string outcome,
               std::string detail = {}) const {
        store.audit({now(), std::move(actor), std::move(action), std::move(object), std::move(outcome),
                     std::move(detail)});
    }
    /// Of an operator.
    void audit(const Principal& actor, std::string action, std::string object, std::string outcome,
               std::string detail = {}) const {
        audit(actor_of(actor), std::move(action), std::move(object), std::move(outcome), std::move(detail));
    }
};

} // namespace casemate::verifier
