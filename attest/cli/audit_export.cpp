// SPDX-License-Identifier: Apache-2.0
// `casemate-attest audit export`: the trail as JSON lines, in order, each checkpoint behind its row; from a store, also beside the
// running service, or a page at a time from the service. It writes the file whole or not at all.
#include "attest/cli/audit.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

#include "attest/cli/command.hpp"
#include "attest/store/store.hpp"
#include "attest/verifier/trail_export.hpp"

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

/// Writes the rows behind `last` and moves it; false when there are none.
using NextPart = std::function<bool(std::ostream&, std::int64_t& last)>;

NextPart of_store(const std::string& where) {
    require_existing(where);
    std::shared_ptr<store::Store> store = store::open_store(where, 1);
    return [store](std::ostream& out, std::int64_t& last) {
        const auto lines = verifier::trail_lines(*store, last, batch);
        for (const std::string& line : lines) out << line;
        return !lines.empty();
    };
}

/// Up to what the trail's head is at the first answer: a busy service would be followed for ever.
NextPart of_service(const std::shared_ptr<ServiceOptions>& service) {
    return [service, head = std::int64_t{-1}](std::ostream& out, std::int64_t& last) mutable {
        if (head != -1 && last >= head) return false;
        const verifier::Json body{{"after", last}, {"limit", batch}};
        const verifier::Json answer = call_service(*service, "POST", "/v1/audit/export", body.dump());
        if (head == -1) head = answer["head"];
        for (const verifier::Json& line : answer["lines"]) out << line.get_ref<const std::string&>();
        last = answer["last"];
        return !answer["lines"].empty();
    };
}

/// Gone in the end, whether it was renamed or something went wrong.
struct Draft {
    explicit Draft(std::string name) : path{std::move(name)} {}
    ~Draft() {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    const std::string path;
};

void write_trail(const NextPart& next, std::ostream& out) {
    for (std::int64_t last = 0; next(out, last);) {
    }
}

} // namespace

void export_audit(const AuditExport& options) {
    const NextPart next = options.store.empty() ? of_service(options.service) : of_store(options.store);
    if (options.file == "-") {
        write_trail(next, std::cout);
        if (!std::cout.flush()) throw CannotRun("cannot write to standard output");
        return;
    }
    const Draft draft{options.file + ".new"};
    std::ofstream stream{draft.path, std::ios::binary | std::ios::trunc};
    write_trail(next, stream);
    if (!stream.flush()) throw CannotRun("cannot write " + draft.path);
    stream.close();
    std::filesystem::rename(draft.path, options.file);
}

} // namespace casemate::cli
