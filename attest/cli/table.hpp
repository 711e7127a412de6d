// SPDX-License-Identifier: Apache-2.0
// Rows of an answer as columns for a person.
#pragma once

#include <string>
#include <vector>

#include "attest/verifier/json.hpp"

namespace casemate::cli {

struct Column {
    const char* title;
    const char* member; // of each row
    enum class Form { text, short_id, time } form = Form::text; // short_id: its first 16 characters
};

/// Prints the rows of a JSON array, left-aligned, with a head; "none" when there is no row.
void print_table(const verifier::Json& rows, const std::vector<Column>& columns);

/// Milliseconds since the Unix epoch as 2027-01-31T00:00:00Z; "-" for 0.
[[nodiscard]] std::string time_text(std::int64_t millis);

} // namespace casemate::cli
