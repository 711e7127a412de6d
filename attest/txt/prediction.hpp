// SPDX-License-Identifier: Apache-2.0
// PCR 17, 18 and 19 of a TXT launch before it happens: the twin of the appraisal, with the same arithmetic and the same grammar.
// What SINIT finds in a machine (the module itself, BIOS, NV, policy) is a fact that has to come from that machine: from a log that
// was captured once, or as options. tboot, its command line, its policy and the modules are computed from the files.
#pragma once

#include "attest/txt/reference.hpp"
#include "attest/txt/tboot.hpp"

namespace casemate::txt {

struct PredictedEvent {
    std::uint32_t pcr = 0;
    std::uint32_t type = 0;
    measure::DigestSet digests;
};

struct Module {
    verifier::Bytes image;
    std::string command_line; // behind the file's name
};

struct PredictionInput {
    PcrMap map = PcrMap::details_authorities;
    measure::Banks banks;
    std::vector<PredictedEvent> facts; // SINIT's events, in order; MLE_HASH and tboot's are left out where they are computed
    std::optional<verifier::Bytes> mle; // what SINIT measures of tboot (mle_hash.hpp)
    std::optional<verifier::Bytes> policy; // tboot's, of tb_polgen; without it the built-in one
    std::vector<Module> modules;        // empty: tboot's events are facts, too
};

/// The facts in a captured log; its form must be whole.
[[nodiscard]] Result<PredictionInput, std::string> facts_of(ByteView log);

struct Prediction {
    std::vector<PredictedEvent> events;
    Reference reference;
    PcrReplay pcrs;
};

/// A whole sentence when something is missing that only the machine knows.
[[nodiscard]] Result<Prediction, std::string> predict(const PredictionInput& input);

} // namespace casemate::txt
