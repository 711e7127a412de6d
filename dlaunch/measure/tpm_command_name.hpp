// SPDX-License-Identifier: Apache-2.0
// TPM_CC constants [TPM2-P2 6.5.2, table 12] in words, for people: policies, reports, tables. Host only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace casemate::measure {

/// "Quote": the constant's name after TPM_CC_; empty for a code that is not among those that Casemate's parts send or allow.
[[nodiscard]] std::string_view tpm_command_name(std::uint32_t code);
[[nodiscard]] std::optional<std::uint32_t> tpm_command_code(std::string_view name);

} // namespace casemate::measure
