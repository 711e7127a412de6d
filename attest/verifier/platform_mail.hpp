// SPDX-License-Identifier: Apache-2.0
// Status reports and operator's orders of platforms whose agents have no relay: here the service is what the relay is to the others
// (docs/adr/0031, docs/interfaces/relay.md). UNTRUSTED: a report, and the results of orders in it; it is for display, nothing is decided by it.
// Invariants: ids of a platform's orders rise from 1; one is offered until a report tells its result or it is withdrawn, and never again;
// a platform out of service is offered none. The router has checked the caller.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

class PlatformMail {
public:
    static constexpr std::size_t max_report = 128 * 1024;   // bytes; the largest that an agent makes is some 100 KiB
    static constexpr std::int64_t max_waiting_orders = 16; // an agent tells the results of its latest 16

    explicit PlatformMail(const Context& context) : context_{context} {}

    /// Of an agent, every two seconds: no row in the trail. The answer is the relay's: `{}` or the orders that wait.
    [[nodiscard]] Answer report(const store::Platform& caller, const Json& body, std::string_view raw_body) const;
    [[nodiscard]] Answer newest_report(const std::string& platform_id) const;

    /// `{vm, order}`.
    [[nodiscard]] Answer order(const std::string& platform_id, const Json& body, const Principal& actor) const;
    [[nodiscard]] Answer orders(const std::string& platform_id) const;
    /// Those that wait are offered no more. One that the agent has already may still be carried out.
    [[nodiscard]] Answer withdraw_orders(const std::string& platform_id, const Principal& actor) const;

private:
    const Context& context_;
};

} // namespace casemate::verifier
