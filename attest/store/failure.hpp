// SPDX-License-Identifier: Apache-2.0
// How a store fails: exhaustion, corruption, a server that is away, our own bug; nothing that a client can provoke. The
// request handler turns it into "deny + incident". Messages name no password and no value of a row.
#pragma once

#include <stdexcept>

namespace casemate::store {

class StoreFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The connection to the database ended. Before anything was changed the same work may be tried on another one.
class ConnectionLost : public StoreFailure {
public:
    using StoreFailure::StoreFailure;
};

/// The database has another schema than this program's: a newer program has migrated it meanwhile.
class OtherSchema : public StoreFailure {
public:
    OtherSchema() : StoreFailure("the store has another schema than this program's") {}
};

} // namespace casemate::store
