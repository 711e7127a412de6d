// SPDX-License-Identifier: Apache-2.0
// From the text of --store to a store. A password in it would show in the list of processes and in logs, so it is refused:
// PostgreSQL's password file or service file has it [PostgreSQL 15, 34.16, 34.17].
#include "attest/store/store.hpp"

#include <memory>

#include <libpq-fe.h>

namespace casemate::store {
namespace {

constexpr std::string_view sqlite_prefix = "sqlite:";
constexpr std::string_view postgresql_prefix = "postgresql:";

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

void refuse_passwords(const std::string& conninfo) {
    char* reason = nullptr;
    const Options options{PQconninfoParse(conninfo.c_str(), &reason), &PQconninfoFree};
    PQfreemem(reason); // not shown: it quotes the text, in which a password may be
    if (!options) throw StoreFailure("--store: what follows postgresql: is not a connection string of libpq");
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
        if (std::string_view{option->dispchar} == "*" && option->val != nullptr)
            throw StoreFailure(std::string("--store must not hold a ") + option->keyword +
                               ": put it into a password file (PGPASSFILE) or a service file");
}

} // namespace

std::unique_ptr<Store> open_store(const std::string& where, std::size_t connections, Observer observer) {
    const std::string_view view = where;
    if (view.starts_with(sqlite_prefix) && view.size() > sqlite_prefix.size())
        return open_sqlite_store(view.substr(sqlite_prefix.size()), std::move(observer));
    if (!view.starts_with(postgresql_prefix)) throw StoreFailure("a store is sqlite:FILE or postgresql:CONNINFO");
    const std::string rest{view.substr(postgresql_prefix.size())};
    const std::string conninfo = rest.starts_with("//") ? where : rest; // libpq knows postgresql://... itself
    refuse_passwords(conninfo);
    return open_postgresql_store(conninfo, connections, std::move(observer));
}

} // namespace casemate::store
