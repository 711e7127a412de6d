// SPDX-License-Identifier: Apache-2.0
// Searching the audit trail, newest first, and its rows as JSON. A search looks at a bounded number of rows and says where the next
// one goes on, so that a trail of any length costs a request no more than a short one.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

class Trail {
public:
    explicit Trail(const Context& context) : context_{context} {}

    /// `{words?, before?, limit?}`: rows older than `before` in which every word occurs, in any field and case.
    [[nodiscard]] Answer search(const Json& body) const;

private:
    const Context& context_;
};

/// With its sequence number.
[[nodiscard]] Json to_json(const audit::ChainedRow& row);

} // namespace casemate::verifier
