// SPDX-License-Identifier: Apache-2.0
// The owner's tools fail as the platform model does: with a sentence for the owner, and what to do where there is something to do.
#pragma once

#include "dlaunch/model/error.hpp"

namespace casemate::owner {

using model::Error;
using model::fail;
using model::fail_errno;
using model::Outcome;

} // namespace casemate::owner
