// SPDX-License-Identifier: Apache-2.0
// See trail_export.hpp.
#include "attest/verifier/trail_export.hpp"

#include "attest/audit/trail_file.hpp"

namespace casemate::verifier {
namespace {

constexpr std::uint64_t max_rows = 1000;
constexpr std::uint64_t max_sequence = 999'999'999'999'999'999;

/// A number from `least` to `most`; `otherwise` when it is not there.
Result<std::int64_t, ApiError> number(const Json& body, const char* name, std::uint64_t least, std::uint64_t most, const Json& otherwise) {
    const Json value = body.value(name, otherwise);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least || value.get<std::uint64_t>() > most)
        return refuse(400, "export", std::string("/") + name + ": must be a number from " + std::to_string(least) + " to " +
                                         std::to_string(most));
    return value.get<std::int64_t>();
}

} // namespace

std::vector<std::string> trail_lines(store::Store& store, std::int64_t& last, int limit) {
    std::vector<std::string> lines;
    const auto rows = store.audit_trail(last, limit);
    if (rows.empty()) return lines;
    const auto checkpoints = store.audit_checkpoints(last, rows.back().sequence);
    auto checkpoint = checkpoints.begin();
    for (const audit::ChainedRow& row : rows) {
        lines.push_back(audit::line_of(row));
        for (; checkpoint != checkpoints.end() && checkpoint->sequence == row.sequence; ++checkpoint)
            lines.push_back(audit::line_of(checkpoint->message));
    }
    last = rows.back().sequence;
    return lines;
}

Answer TrailExport::page(const Json& body) const {
    TRY(only_members(body, {"after", "limit"}, "", "export"));
    const std::int64_t after = TRY(number(body, "after", 0, max_sequence, nullptr));
    const std::int64_t limit = TRY(number(body, "limit", 1, max_rows, max_rows));
    std::int64_t last = after;
    Json lines = trail_lines(context_.store, last, static_cast<int>(limit));
    return Json{{"lines", std::move(lines)}, {"last", last}, {"head", context_.store.audit_head().sequence}};
}

} // namespace casemate::verifier
