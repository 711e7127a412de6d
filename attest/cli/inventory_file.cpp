// SPDX-License-Identifier: Apache-2.0
// See inventory_file.hpp.
#include "attest/cli/inventory_file.hpp"

#include <algorithm>
#include <vector>

#include "attest/cli/command.hpp"

namespace casemate::cli {
namespace {

using verifier::Json;
using Fields = std::vector<std::string>;

[[noreturn]] void wrong(std::size_t line, const std::string& what) {
    throw CannotRun("line " + std::to_string(line) + ": " + what);
}

/// Takes one field off the front of `rest`, which then begins with a comma or is empty.
std::string take_field(std::string_view& rest, std::size_t line) {
    if (!rest.starts_with('"')) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        const std::string_view field = rest.substr(0, end);
        if (field.find('"') != std::string_view::npos) wrong(line, "a quote inside a field that is not quoted");
        rest.remove_prefix(end);
        return std::string{field};
    }
    std::string field;
    for (rest.remove_prefix(1);; rest.remove_prefix(1)) {
        if (rest.empty()) wrong(line, "a quoted field does not end");
        if (rest.front() != '"') field += rest.front();
        else if (rest.starts_with("\"\"")) field += '"', rest.remove_prefix(1);
        else break;
    }
    rest.remove_prefix(1);
    if (!rest.empty() && rest.front() != ',') wrong(line, "text after a quoted field");
    return field;
}

Fields fields_of(std::string_view row, std::size_t line) {
    Fields fields;
    for (;;) {
        fields.push_back(take_field(row, line));
        if (row.empty()) return fields;
        row.remove_prefix(1); // the comma
    }
}

Fields header_of(std::string_view row) {
    Fields names = fields_of(row, 1);
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (*name != "platform_id" && *name != "label" && *name != "without_certificate")
            wrong(1, "unknown column \"" + *name + "\"");
        if (std::find(names.begin(), name, *name) != name) wrong(1, "the column \"" + *name + "\" occurs twice");
    }
    if (std::find(names.begin(), names.end(), "platform_id") == names.end()) wrong(1, "there is no column \"platform_id\"");
    return names;
}

Json entry_of(const Fields& names, const Fields& fields, std::size_t line) {
    if (fields.size() != names.size()) wrong(line, "has not as many fields as the header");
    Json entry = Json::object();
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] != "without_certificate") {
            entry[names[i]] = fields[i];
            continue;
        }
        if (!fields[i].empty() && fields[i] != "yes" && fields[i] != "no") wrong(line, "without_certificate must be yes or no");
        entry[names[i]] = fields[i] == "yes";
    }
    if (!verifier::is_hex_id(entry["platform_id"].get<std::string>(), 64))
        wrong(line, "platform_id must be 64 lower-case hex digits (SHA-256 of the EK's TPMT_PUBLIC)");
    return entry;
}

Json from_csv(std::string_view text) {
    Json entries = Json::array();
    Fields names;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view row = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (row.ends_with('\r')) row.remove_suffix(1);
        if (line == 1) names = header_of(row);
        else entries.push_back(entry_of(names, fields_of(row, line), line));
    }
    if (entries.empty()) throw CannotRun("the file lists no platform");
    return Json{{"entries", entries}};
}

} // namespace

Json inventory_of(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) throw CannotRun("the file is empty");
    if (text[first] != '{') return from_csv(text);
    auto parsed = verifier::parse_object(text);
    if (!parsed) throw CannotRun("the file is not JSON: " + parsed.error().detail);
    return std::move(parsed).value();
}

} // namespace casemate::cli
