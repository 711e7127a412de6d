// SPDX-License-Identifier: Apache-2.0
// The values of a policy in the words of its source. Host only.
#pragma once

#include "policy/model/policy.hpp"

#include <optional>
#include <string>
#include <vector>

namespace casemate::policy {

[[nodiscard]] const char* word(Role role);
[[nodiscard]] const char* word(Placement placement);
[[nodiscard]] const char* word(Restart restart);
[[nodiscard]] std::vector<std::string> right_words(std::uint8_t rights);
[[nodiscard]] std::vector<std::string> reset_words(std::uint8_t resets);
/// "Quote", as [TPM2-P2 6.5.2] has it after TPM_CC_.
[[nodiscard]] std::vector<std::string> tpm_command_words(std::span<const std::uint32_t> commands);
/// Bit of Device::resets; nothing for another word.
[[nodiscard]] std::optional<std::uint8_t> reset_bit(std::string_view word);
[[nodiscard]] std::optional<std::uint32_t> tpm_command(std::string_view word);
/// "8086:10d3".
[[nodiscard]] std::string id_text(const Device& device);
[[nodiscard]] std::string vm_name(const Policy& policy, std::size_t vm);
[[nodiscard]] std::vector<std::string> secret_names(const Vm& vm);
[[nodiscard]] std::vector<std::string> holder_names(const Policy& policy, const Device& device);
[[nodiscard]] std::vector<std::string> member_names(const Policy& policy, const Conflict& conflict);
/// "60 s", or that the leases say when.
[[nodiscard]] std::string interval_words(const Policy& policy);
/// "a, b and c"; "nobody" for none.
[[nodiscard]] std::string listed(const std::vector<std::string>& words);

} // namespace casemate::policy
