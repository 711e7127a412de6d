// SPDX-License-Identifier: Apache-2.0
// Which platforms belong to the fleet and which of them are in service: the inventory of expected endorsement keys,
// quarantine, retirement and reinstatement, and the rules that hold for all. The router has checked the caller's role.
// Invariant: a platform that is not active gets no grant, and those that it has are revoked before the call returns; so
// are operator's orders that wait for it withdrawn.
#pragma once

#include "attest/verifier/grants.hpp"

namespace casemate::verifier {

class Fleet {
public:
    Fleet(const Context& context, const Grants& grants) : context_{context}, grants_{grants} {}

    // `actor` is the caller, for the audit trail.
    [[nodiscard]] Answer quarantine(const std::string& platform_id, const Principal& actor) const;
    [[nodiscard]] Answer retire(const std::string& platform_id, const Principal& actor) const;
    [[nodiscard]] Answer reinstate(const std::string& platform_id, const Principal& actor) const;

    /// Lists the platform and lets it enrol without an EK certificate.
    [[nodiscard]] Answer approve(const std::string& platform_id, const Principal& actor) const;
    /// `{entries: [{platform_id, label?, without_certificate?}]}`, all or none.
    [[nodiscard]] Answer import(const Json& body, const Principal& actor) const;
    [[nodiscard]] Answer inventory() const;
    /// One entry of it, however long it is.
    [[nodiscard]] Answer expected(const std::string& platform_id) const;
    [[nodiscard]] Answer remove(const std::string& platform_id, const Principal& actor) const;

    [[nodiscard]] Answer rules() const;
    /// `{minimum_policy_epoch}`.
    [[nodiscard]] Answer set_rules(const Json& body, const Principal& actor) const;

private:
    [[nodiscard]] Answer take_out(const std::string& platform_id, const char* state, const Principal& actor) const;
    [[nodiscard]] Result<store::InventoryEntry, ApiError> entry(const Json& item, const std::string& at,
                                                                const Principal& actor) const;
    [[nodiscard]] Json to_json(const store::InventoryEntry& entry) const;

    const Context& context_;
    const Grants& grants_;
};

} // namespace casemate::verifier
