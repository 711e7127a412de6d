// SPDX-License-Identifier: Apache-2.0
// A policy as the TOML that compiles to it again, byte for byte but for comments and the order of keys. Host only.
#pragma once

#include "policy/model/policy.hpp"

#include <string>

namespace casemate::policy {

[[nodiscard]] std::string decompile(const Policy& policy);

} // namespace casemate::policy
