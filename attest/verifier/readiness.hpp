// SPDX-License-Identifier: Apache-2.0
// May this replica be sent requests: the store answers with this program's schema, the grant key signs, and nobody is stopping it.
// Anyone may ask as often as they like: what was found is good for
// Settings::ready_lifetime, and while one of them looks the others get what was found last: nobody can keep the threads waiting.
// Called by operations.cpp.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>

#include "attest/cose/signer.hpp"
#include "attest/verifier/context.hpp"

namespace casemate::verifier {

class Readiness {
public:
    Readiness(const Context& context, const cose::Signer& signer) ;

    /// Why not: `{code, detail}`s; empty = ready. Codes: `starting`, `stopping`, `store_unavailable`, `store_schema`, `signing_unavailable`.
    [[nodiscard]] Json reasons() const;
    void stop() { stopping_ = true; }

private:
    [[nodiscard]] Json look() const;

    const Context& context_;
    const cose::Signer& signer_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex looking_;
    mutable std::mutex lock_; // for the two below
    mutable std::optional<std::chrono::steady_clock::time_point> looked_;
    mutable Json found_;
};

} // namespace casemate::verifier
