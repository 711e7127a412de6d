// SPDX-License-Identifier: Apache-2.0
// The agent's errors: a sentence for the console. Nothing is decided by kind: every failure is retried with a back-off.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

#include <string>
#include <vector>

namespace casemate::agent {

using Bytes = std::vector<std::uint8_t>;

struct Error {
    std::string what{};
};

template <typename T>
using Outcome = Result<T, Error>;

[[nodiscard]] inline Failure<Error> fail(std::string what) { return {Error{std::move(what)}}; }

} // namespace casemate::agent
