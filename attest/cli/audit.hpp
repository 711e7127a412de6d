// SPDX-License-Identifier: Apache-2.0
// The two halves of `casemate-attest audit`; declared by audit.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attest/cli/service.hpp"

namespace casemate::cli {

struct AuditVerify {
    std::string file;                     // "-" = standard input
    std::string key;                      // PEM, public
    std::vector<std::string> checkpoints; // earlier exports, kept elsewhere
    bool json = false;
};
/// Refused when the trail is not intact.
void verify_audit(const AuditVerify& options);

struct AuditExport {
    std::string store; // as casemate-verifierd's --store; empty: the service is asked
    std::string file;  // "-" = standard output
    std::shared_ptr<ServiceOptions> service;
};
void export_audit(const AuditExport& options);

} // namespace casemate::cli
