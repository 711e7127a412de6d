// SPDX-License-Identifier: Apache-2.0
// Reference values of a TXT launch (docs/interfaces/txt-evidence.md): PCR 18, who may have launched, as a value; PCR 17, what was
// launched, event by event. Read strictly: a member that is not known refuses the file. The prediction writes the same.
#pragma once

#include "attest/txt/launch_log.hpp"
#include "attest/txt/pcr_replay.hpp"
#include "attest/verifier/json.hpp"

#include <map>

namespace casemate::txt {

struct ReferenceEvent {
    std::uint32_t type = 0;
    std::vector<measure::Digest> accepted; // at least one
};

struct ReferenceBank {
    std::map<std::uint32_t, std::vector<measure::Digest>> values;  // by PCR
    std::map<std::uint32_t, std::vector<ReferenceEvent>> events;   // by PCR, in order, none besides
};

struct Reference {
    PcrMap map = PcrMap::details_authorities;
    std::map<measure::TPM_ALG_ID, ReferenceBank> banks;

    [[nodiscard]] static Result<Reference, verifier::ApiError> parse(const verifier::Json& document);
    [[nodiscard]] verifier::Json json() const;
};

enum class Match { not_compared, matched, differs };

/// Each record of the log (by its place), and findings for what differs. `bank` is compared alone: it must be the reference's.
[[nodiscard]] std::vector<Match> compare(const ReferenceBank& reference, measure::TPM_ALG_ID bank, const LaunchLog& log, Findings& findings);

} // namespace casemate::txt
