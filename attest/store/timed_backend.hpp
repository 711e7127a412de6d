// SPDX-License-Identifier: Apache-2.0
// A back end that tells how long its work takes: waiting for a connection and for a turn to write, commits, and a connection's use in all.
// Called where a store is opened.
#pragma once

#include "attest/store/sql.hpp"
#include "attest/store/store.hpp"

namespace casemate::store {

/// `backend` itself when nobody observes.
[[nodiscard]] std::unique_ptr<Backend> timed(std::unique_ptr<Backend> backend, Observer observer);

} // namespace casemate::store
