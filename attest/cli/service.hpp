// SPDX-License-Identifier: Apache-2.0
// Calls of the command line to the verifier (attest/client). A refusal becomes one sentence with the next step.
#pragma once

#include <memory>
#include <string>

#include "attest/client/service.hpp"

namespace CLI {
class App;
}

namespace casemate::cli {

struct ServiceOptions : client::ServiceOptions {
    bool json = false;
};

/// Those of attest/client, and --json.
[[nodiscard]] std::shared_ptr<ServiceOptions> declare_service(CLI::App& group);

/// Throws CannotRun when there is no answer or the options are wrong, and Refused, after it said why, when the service refuses.
[[nodiscard]] verifier::Json call_service(const ServiceOptions& options, const std::string& method, const std::string& path,
                                          const std::string& body = "{}");

/// The answer itself with --json, else `sentence`.
void report(const ServiceOptions& options, const verifier::Json& answer, const std::string& sentence);

} // namespace casemate::cli
