// SPDX-License-Identifier: Apache-2.0
// An operator's token, only from a file where nobody else can read it. Called by service.cpp, and by tests.
#pragma once

#include <string>

#include "hypervisor/base/result.hpp"

namespace casemate::client {

/// A regular file of this user that no other user can read, with one token in it. The error is a sentence with what to do.
[[nodiscard]] Result<std::string, std::string> read_token(const std::string& path);

} // namespace casemate::client
