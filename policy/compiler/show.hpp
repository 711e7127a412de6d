// SPDX-License-Identifier: Apache-2.0
// A policy as readable text. Host only.
#pragma once

#include "policy/model/bundle.hpp"

#include <iosfwd>

namespace casemate::policy {

void show(std::ostream& out, const Policy& policy, const Bundle& bundle);

} // namespace casemate::policy
