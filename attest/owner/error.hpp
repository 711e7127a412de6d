// SPDX-License-Identifier: Apache-2.0
// The one error type of the owner's tools: a sentence for the owner, with what to do where there is something to do.
#pragma once

#include "hypervisor/base/result.hpp"

#include <string>
#include <utility>

namespace casemate::owner {

struct Error {
    std::string text;
};

template <typename T>
using Outcome = Result<T, Error>;

inline Failure<Error> fail(std::string text) { return Failure{Error{std::move(text)}}; }

} // namespace casemate::owner
