// SPDX-License-Identifier: Apache-2.0
// Brings a SQLite store to the current schema. `PRAGMA user_version` counts the steps already done; each step runs
// in one transaction with its count, so a crash in between leaves either the old or the new schema.
#pragma once

#include "attest/store/sqlite.hpp"

namespace casemate::store {

/// Throws StoreFailure when the file was written by a newer program.
void migrate(Connection& connection);
[[nodiscard]] bool is_current(Connection& connection);

} // namespace casemate::store
