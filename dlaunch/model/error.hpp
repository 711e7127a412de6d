// SPDX-License-Identifier: Apache-2.0
// The one error type of the platform model: a sentence for the person who started the platform.
#pragma once

#include "hypervisor/base/result.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace casemate::model {

struct Error {
    std::string text;
};

template <typename T>
using Outcome = Result<T, Error>;

inline Failure<Error> fail(std::string text) { return Failure{Error{std::move(text)}}; }
/// Appends the system's reason; call it before anything else can change errno.
inline Failure<Error> fail_errno(const std::string& text) { return fail(text + ": " + std::strerror(errno)); }

} // namespace casemate::model
