// SPDX-License-Identifier: Apache-2.0
// `casemate-attest platform status`, `order`, `orders` and `secrets`: what the service keeps for platforms whose agents have no relay
// (docs/adr/0031). Declared below `platform` by platform.cpp.
#pragma once

#include <memory>

#include "attest/cli/service.hpp"

namespace casemate::cli {

void declare_platform_mail(CLI::App& group, const std::shared_ptr<ServiceOptions>& options);

} // namespace casemate::cli
