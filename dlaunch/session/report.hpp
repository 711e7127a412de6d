// SPDX-License-Identifier: Apache-2.0
// The report of a session: docs/interfaces/report.md.
#pragma once

#include "dlaunch/measure/digest.hpp"
#include "dlaunch/session/session.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace casemate::session {

/// Everything but `result` and `failure`. Asks the verifier, so call it while the session runs.
[[nodiscard]] nlohmann::json make_report(Session& session, const std::vector<std::pair<std::string, double>>& phases);
/// What the TPM has in a PCR now, in hex; null when it does not say.
[[nodiscard]] nlohmann::json read_pcr(model::Platform& platform, measure::TPM_ALG_ID bank, std::uint32_t pcr);
/// Whether the log of the newest evidence replays to what the TPM's PCR 19 holds now.
[[nodiscard]] bool last_log_is_current(Session& session);
/// What in the report contradicts a good session, in one sentence: PCRs, appraisal, custody, traffic.
[[nodiscard]] std::optional<std::string> verdict(const nlohmann::json& report);
/// Launch, evidence and traffic in a few lines for a person.
[[nodiscard]] std::string summary(const nlohmann::json& report);
/// Whole or not at all.
[[nodiscard]] bool write_report(const nlohmann::json& report, const std::filesystem::path& file);

} // namespace casemate::session
