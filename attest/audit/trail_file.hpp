// SPDX-License-Identifier: Apache-2.0
// The exported trail: one JSON object a line, a row or a checkpoint (docs/interfaces/audit.md). The writer serves
// `casemate-attest audit export`, the reader the offline check. A reader accepts exactly what the writer makes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "attest/audit/checkpoint.hpp"

namespace casemate::audit {

using SignedCheckpoint = std::vector<std::uint8_t>; // COSE_Sign1, not yet verified

/// With a newline at its end.
[[nodiscard]] std::string line_of(const ChainedRow& row);
[[nodiscard]] std::string line_of(const SignedCheckpoint& checkpoint);

using Entry = std::variant<ChainedRow, SignedCheckpoint>;

/// UNTRUSTED text without its newline; nothing when it is no entry. Nothing is said about hashes and signatures.
[[nodiscard]] std::optional<Entry> read_line(std::string_view line);

} // namespace casemate::audit
