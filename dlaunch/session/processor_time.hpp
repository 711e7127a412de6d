// SPDX-License-Identifier: Apache-2.0
// What a thread of this host has used of its processors.
#pragma once

#include <optional>

namespace casemate::session {

/// User and system time of a thread; nothing when it is gone.
[[nodiscard]] std::optional<double> processor_seconds(int process, int thread);

} // namespace casemate::session
