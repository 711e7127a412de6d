// SPDX-License-Identifier: Apache-2.0
// `casemate-attest audit verify`: reads the file line by line and says what attest/audit/trail_check found.
#include "attest/cli/audit.hpp"

#include <ctime>
#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include "attest/audit/trail_check.hpp"
#include "attest/cli/command.hpp"

namespace casemate::cli {
namespace {

using audit::Problem;
using audit::TrailReport;
using Json = nlohmann::ordered_json;

measure::P256PublicKey read_key(const std::string& file) {
    const auto point = cose::read_public_key(file);
    if (!point) throw CannotRun(file + ": " + cose::describe(point.error()));
    auto key = measure::P256PublicKey::create(point.value());
    if (!key) throw CannotRun(file + " holds no P-256 public key");
    return std::move(key).value();
}

template <typename Take>
void each_line(std::istream& stream, const std::string& file, Take take) {
    for (std::string line; std::getline(stream, line);) take(line);
    if (!stream.eof()) throw CannotRun("cannot read " + file);
}

template <typename Take>
void each_line_of(const std::string& file, Take take) {
    if (file == "-") return each_line(std::cin, "standard input", take);
    std::ifstream stream{file, std::ios::binary};
    if (!stream) throw CannotRun("cannot read " + file);
    each_line(stream, file, take);
}

std::string date(std::int64_t millis) {
    const std::time_t seconds = millis / 1000;
    std::tm parts{};
    char text[40] = "";
    if (gmtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

void print_json(const AuditVerify& options, const TrailReport& report) {
    Json problems = Json::array();
    for (const Problem& problem : report.problems)
        problems.push_back({{"row", problem.row}, {"line", problem.line}, {"reason", audit::name_of(problem.flaw)},
                            {"detail", audit::describe(problem.flaw)}});
    std::cout << Json{{"file", options.file},
                      {"intact", report.intact()},
                      {"rows", report.rows},
                      {"checkpoints", report.checkpoints},
                      {"signed_until", report.signed_until},
                      {"signed_at", report.signed_at},
                      {"problems", problems}}
                     .dump(2, ' ', true, Json::error_handler_t::replace)
              << "\n";
}

void print_problem(const Problem& problem) {
    std::cout << "row " << problem.row;
    if (problem.line != 0) std::cout << ", line " << problem.line;
    std::cout << ": " << audit::name_of(problem.flaw) << ": " << audit::describe(problem.flaw) << "\n";
}

void print_text(const AuditVerify& options, const TrailReport& report) {
    for (const Problem& problem : report.problems) print_problem(problem);
    if (!report.intact()) {
        const bool more = report.problems.size() == audit::TrailCheck::max_problems;
        std::cout << options.file << ": NOT intact: " << report.problems.size() << (more ? " problems or more" : " problem(s)")
                  << " in " << report.rows << " rows\n";
        return;
    }
    std::cout << options.file << ": intact: " << report.rows << " rows, signed until row " << report.signed_until << " at "
              << date(report.signed_at) << " (" << report.checkpoints << " checkpoints), "
              << report.rows - report.signed_until << " newer rows chained only\n";
}

} // namespace

void verify_audit(const AuditVerify& options) {
    audit::TrailCheck check{read_key(options.key)};
    each_line_of(options.file, [&](const std::string& line) { check.line(line); });
    for (const std::string& file : options.checkpoints)
        each_line_of(file, [&](const std::string& line) { check.expect(line); });
    const TrailReport report = check.finish();
    if (options.json) print_json(options, report);
    else print_text(options, report);
    if (!report.intact()) throw Refused{};
}

} // namespace casemate::cli
