// SPDX-License-Identifier: Apache-2.0
// The audit trail a page at a time, in the lines of its file (docs/interfaces/audit.md), for an owner who keeps it elsewhere: whoever
// joins the pages has what `casemate audit export` writes, and checks it offline. Reading leaves no row: an export ends.
// Route: POST /v1/audit/export. The router has checked that the caller is an owner.
#pragma once

#include "attest/verifier/context.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::verifier {

/// The lines, each with its newline, of at most `limit` rows behind number `last`, and of their checkpoints. `last` becomes the number of
/// the last of these rows; it stays when there is none.
[[nodiscard]] std::vector<std::string> trail_lines(store::Store& store, std::int64_t& last, int limit);

class TrailExport {
public:
    explicit TrailExport(const Context& context) : context_{context} {}

    /// `{after, limit?}`: the rows behind number `after`, at most 1,000, each with the checkpoint that follows it.
    [[nodiscard]] Answer page(const Json& body) const;

private:
    const Context& context_;
};

} // namespace casemate::verifier
