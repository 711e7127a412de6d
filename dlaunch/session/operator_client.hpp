// SPDX-License-Identifier: Apache-2.0
// The operator's end of a session's socket (docs/interfaces/operator.md): finds the session, asks, reads lines.
#pragma once

#include "dlaunch/session/operator_directory.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>

namespace casemate::session {

class OperatorClient {
public:
    /// To the session with this number, or to the only one there is. The error is one sentence for the operator.
    static model::Outcome<OperatorClient> connect(const std::filesystem::path& directory,
                                                  std::optional<int> session);

    /// The answer to one request; a refusal of the session is an error with the session's own sentence.
    model::Outcome<nlohmann::json> ask(const nlohmann::json& request);
    /// The next line. With `patience`: an error when it does not come in time.
    model::Outcome<nlohmann::json> next(std::optional<std::chrono::milliseconds> patience);

private:
    explicit OperatorClient(model::UniqueFd connection) : connection_{std::move(connection)} {}
    model::Outcome<std::string> line(std::optional<std::chrono::milliseconds> patience);

    model::UniqueFd connection_;
    std::string received_;
};

} // namespace casemate::session
