// SPDX-License-Identifier: Apache-2.0
// `casemate-attest evidence explain` for the raw log of a TXT launch: options, and the answer as text or JSON.
#pragma once

#include "attest/txt/explanation.hpp"

namespace casemate::cli {

struct TxtOptions {
    std::string file, quote, signature, ak, nonce, pcrs;
    std::vector<std::string> references;
    bool json = false;
};

/// Prints it. Refused unless the quote proves the log and, where a reference is given, the log is the reference's.
void explain_txt(const TxtOptions& options, const std::string& log);

[[nodiscard]] verifier::Json json_of(const txt::Explanation& explanation);

} // namespace casemate::cli
