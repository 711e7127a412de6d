// SPDX-License-Identifier: Apache-2.0
// Where the attestation service is and who calls it, in the words of every command line that does.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace casemate::client {

struct ServiceOptions {
    std::string url;
    std::string authority;
    std::string token_file;
    std::string certificate;
    std::string key;
};

/// --url, --ca, --token, --certificate, --key; also from CASEMATE_URL, CASEMATE_CA, ...
void add_service_options(CLI::App& command, ServiceOptions& options);

/// Empty: they are enough for a call. Else what is missing, as a sentence.
[[nodiscard]] std::string missing_in(const ServiceOptions& options);

} // namespace casemate::client
