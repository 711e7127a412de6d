// SPDX-License-Identifier: Apache-2.0
// An event log as JSON for the report: the PCR values that it replays to, and the custody ledger's entries.
// UNTRUSTED input; whether the log is true is the verifier's to say (appraisal), not this file's.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace casemate::session {

[[nodiscard]] std::string hex(ByteView bytes);

struct LogView {
    nlohmann::json pcrs = nlohmann::json::object();  // {"sha256": {"17": hex, ...}, ...}
    nlohmann::json ledger = nlohmann::json::array(); // entries as docs/interfaces/report.md says
    std::string problem;                             // empty when the whole log was understood
};

[[nodiscard]] LogView view_log(ByteView log);

} // namespace casemate::session
