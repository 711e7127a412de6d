// SPDX-License-Identifier: Apache-2.0
// See service_options.hpp.
#include "attest/client/service_options.hpp"

#include <CLI/CLI.hpp>

namespace casemate::client {

void add_service_options(CLI::App& command, ServiceOptions& options) {
    command.add_option("--url", options.url, "the service, https://HOST:PORT")->envname("CASEMATE_URL");
    command.add_option("--ca", options.authority, "PEM, the authority of the service's certificate")->envname("CASEMATE_CA");
    command.add_option("--token", options.token_file, "file with your token, readable by you only")->envname("CASEMATE_TOKEN");
    command.add_option("--certificate", options.certificate, "PEM, your client certificate")->envname("CASEMATE_CERTIFICATE");
    command.add_option("--key", options.key, "PEM, its private key")->envname("CASEMATE_KEY");
}

std::string missing_in(const ServiceOptions& options) {
    if (options.url.empty() || options.authority.empty())
        return "say where the service is: --url https://HOST:PORT and --ca its authority's PEM file";
    if (options.token_file.empty() && options.certificate.empty())
        return "say who you are: --token FILE, or --certificate FILE and --key FILE";
    if (options.certificate.empty() != options.key.empty()) return "--certificate and --key go together";
    return {};
}

} // namespace casemate::client
