// SPDX-License-Identifier: Apache-2.0
// `casemate-attest audit export`: the trail of a store as JSON lines, in order, each checkpoint behind its row. May run beside
// the service; it writes the file whole or not at all.
#include "attest/cli/audit.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

#include "attest/audit/trail_file.hpp"
#include "attest/cli/command.hpp"
#include "attest/store/store.hpp"

namespace casemate::cli {
namespace {

constexpr int batch = 1000;
constexpr std::string_view sqlite_prefix = "sqlite:";

/// Opening a SQLite store would create it: a mistyped name must not end as an empty trail.
void require_existing(const std::string& where) {
    if (!where.starts_with(sqlite_prefix)) return;
    const std::string file = where.substr(sqlite_prefix.size());
    if (!std::filesystem::exists(file)) throw CannotRun("there is no store " + file);
}

void write_trail(store::Store& store, std::ostream& out) {
    for (std::int64_t after = 0;;) {
        const auto rows = store.audit_trail(after, batch);
        if (rows.empty()) return;
        const auto checkpoints = store.audit_checkpoints(after, rows.back().sequence);
        auto checkpoint = checkpoints.begin();
        for (const audit::ChainedRow& row : rows) {
            out << audit::line_of(row);
            for (; checkpoint != checkpoints.end() && checkpoint->sequence == row.sequence; ++checkpoint)
                out << audit::line_of(checkpoint->message);
        }
        after = rows.back().sequence;
    }
}

} // namespace

void export_audit(const AuditExport& options) {
    require_existing(options.store);
    const auto store = store::open_store(options.store, 1);
    if (options.file == "-") {
        write_trail(*store, std::cout);
        if (!std::cout.flush()) throw CannotRun("cannot write to standard output");
        return;
    }
    const std::string draft = options.file + ".new";
    std::ofstream stream{draft, std::ios::binary | std::ios::trunc};
    write_trail(*store, stream);
    if (!stream.flush()) throw CannotRun("cannot write " + draft);
    stream.close();
    std::filesystem::rename(draft, options.file);
}

} // namespace casemate::cli
