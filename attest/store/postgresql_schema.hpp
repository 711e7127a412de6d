// SPDX-License-Identifier: Apache-2.0
// Brings a PostgreSQL database to the current schema. The table schema_version counts the steps already done; all steps run in
// one transaction under an advisory lock, so replicas that start at once take turns and a crash leaves the old schema.
#pragma once

#include "attest/store/postgresql.hpp"

namespace casemate::store {

/// Throws StoreFailure when a newer program wrote the database, or when it cannot hold UTF-8.
void migrate(PostgresqlSession& session);
[[nodiscard]] bool is_current(Session& session);

} // namespace casemate::store
