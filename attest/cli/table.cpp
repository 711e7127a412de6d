// SPDX-License-Identifier: Apache-2.0
// See table.hpp.
#include "attest/cli/table.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace casemate::cli {
namespace {

using verifier::Json;

std::string time_of(const Json& row, const char* member) {
    const auto millis = verifier::whole_number(row, member);
    return millis ? time_text(*millis) : "-";
}

std::string cell(const Json& row, const Column& column) {
    if (column.form == Column::Form::time) return time_of(row, column.member);
    const Json value = row.value(column.member, Json{});
    std::string text = value.is_string() ? value.get<std::string>() : value.is_null() ? "-" : value.dump();
    if (text.empty()) text.push_back('-');
    return column.form == Column::Form::short_id ? text.substr(0, 16) : text;
}

void print_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        line += cells[i];
        if (i + 1 < cells.size()) line.append(widths[i] - cells[i].size() + 2, ' ');
    }
    std::printf("%s\n", line.c_str());
}

} // namespace

std::string time_text(std::int64_t millis) {
    if (millis == 0) return "-";
    const std::time_t seconds = millis / 1000;
    std::tm parts{};
    char text[32];
    gmtime_r(&seconds, &parts);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

void print_table(const Json& rows, const std::vector<Column>& columns) {
    if (rows.empty()) {
        std::printf("none\n");
        return;
    }
    std::vector<std::vector<std::string>> table(1);
    for (const Column& column : columns) table[0].push_back(column.title);
    for (const Json& row : rows) {
        table.emplace_back();
        for (const Column& column : columns) table.back().push_back(cell(row, column));
    }
    std::vector<std::size_t> widths(columns.size(), 0);
    for (const auto& cells : table)
        for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
    for (const auto& cells : table) print_row(cells, widths);
}

} // namespace casemate::cli
