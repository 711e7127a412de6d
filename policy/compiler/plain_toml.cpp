// SPDX-License-Identifier: Apache-2.0
// See plain_toml.hpp.
#include "policy/compiler/plain_toml.hpp"

#include <algorithm>
#include <cstdio>

namespace casemate::policy {
namespace {

bool is_plain(char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; }

Problem not_plain(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    const std::size_t column = at - (line == 1 ? 0 : before.rfind('\n') + 1) + 1;
    char byte[8];
    std::snprintf(byte, sizeof byte, "0x%02x", static_cast<unsigned char>(text[at]));
    return {line, "column " + std::to_string(column) + ": the byte " + byte + " is not printable ASCII: comments too are written in it"};
}

} // namespace

std::optional<toml::table> parse_plain(std::string_view text, std::size_t limit, std::vector<Problem>& problems) {
    if (text.size() > limit) {
        problems.push_back({0, "is larger than " + std::to_string(limit / 1024) + " KiB"});
        return std::nullopt;
    }
    const auto wrong = std::find_if_not(text.begin(), text.end(), is_plain);
    if (wrong != text.end()) {
        problems.push_back(not_plain(text, static_cast<std::size_t>(wrong - text.begin())));
        return std::nullopt;
    }
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& error) { // the library's way to say "not TOML"
        problems.push_back({error.source().begin.line, std::string{error.description()}});
        return std::nullopt;
    } catch (const TomlAssumption&) {
        problems.push_back({0, "is no TOML: a key is missing somewhere, as in '[' before a comment"});
        return std::nullopt;
    }
}

} // namespace casemate::policy
