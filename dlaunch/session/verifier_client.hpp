// SPDX-License-Identifier: Apache-2.0
// The operator's side of the verifier's API, as far as a session needs it: JSON calls over TLS with a pinned authority.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace casemate::session {

struct VerifierClient {
    std::string url;                // https://127.0.0.1:PORT
    std::filesystem::path ca;       // PEM
    std::filesystem::path token;    // file with the operator's bearer token

    /// The answer's JSON, or null (no answer within 10 s, not JSON). An error answer is JSON with "error".
    [[nodiscard]] nlohmann::json get(const std::string& path) const;
    [[nodiscard]] nlohmann::json post(const std::string& path, const nlohmann::json& body) const;
    [[nodiscard]] nlohmann::json remove(const std::string& path) const; // DELETE
};

} // namespace casemate::session
