// SPDX-License-Identifier: Apache-2.0
// See trail.hpp.
#include "attest/verifier/trail.hpp"

#include <algorithm>

namespace casemate::verifier {
namespace {

constexpr std::size_t max_words = 128;
constexpr std::int64_t max_rows = 200;        // in one answer
constexpr std::int64_t max_searched = 20'000; // for one request
constexpr std::int64_t batch = 2'000;         // at a time: others want the store too

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : lower(text) + " ") {
        if (c != ' ') word += c;
        else if (!word.empty()) words.push_back(std::exchange(word, {}));
    }
    return words;
}

/// A number that may be there, from 1 to `most`.
Result<std::int64_t, ApiError> number(const Json& body, const char* name, std::int64_t otherwise, std::int64_t most) {
    const auto value = body.find(name);
    if (value == body.end()) return otherwise;
    const bool good = value->is_number_unsigned() && value->get<std::uint64_t>() >= 1 &&
                      value->get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
    if (!good) return refuse(400, "search", std::string("/") + name + ": must be a number from 1 to " + std::to_string(most));
    return value->get<std::int64_t>();
}

Result<std::vector<std::string>, ApiError> words_of(const Json& body) {
    const Json text = body.value("words", Json(""));
    if (!text.is_string() || text.get_ref<const std::string&>().size() > max_words)
        return refuse(400, "search", "/words: must be a text of at most 128 bytes");
    return split(text);
}

bool matches(const store::AuditRow& row, const std::vector<std::string>& words) {
    const std::string text = lower(row.actor + "\n" + row.action + "\n" + row.object + "\n" + row.outcome + "\n" + row.detail);
    return std::all_of(words.begin(), words.end(), [&](const std::string& word) { return text.find(word) != std::string::npos; });
}

} // namespace

Answer Trail::search(const Json& body) const {
    TRY(only_members(body, {"words", "before", "limit"}, "", "search"));
    const std::vector<std::string> words = TRY(words_of(body));
    const std::int64_t limit = TRY(number(body, "limit", 100, max_rows));
    const std::int64_t end = context_.store.audit_head().sequence + 1;
    const std::int64_t start = std::min(end, TRY(number(body, "before", end, 999'999'999'999'999'999)));
    const std::int64_t stop = std::max<std::int64_t>(1, start - max_searched);
    Json found = Json::array();
    std::int64_t before = start;
    while (before > stop && static_cast<std::int64_t>(found.size()) < limit) {
        const std::int64_t first = std::max(stop, before - batch);
        const auto rows = context_.store.audit_trail(first - 1, static_cast<int>(before - first));
        for (auto row = rows.rbegin(); row != rows.rend() && static_cast<std::int64_t>(found.size()) < limit; ++row) {
            if (row->sequence >= before) continue;
            before = row->sequence;
            if (matches(row->row, words)) found.push_back(to_json(*row));
        }
        if (static_cast<std::int64_t>(found.size()) < limit) before = first;
    }
    return Json{{"audit", found}, {"next_before", before > 1 ? before : 0}};
}

Json to_json(const audit::ChainedRow& chained) {
    const store::AuditRow& row = chained.row;
    return {{"sequence", chained.sequence}, {"at", row.at}, {"actor", row.actor}, {"action", row.action},
            {"object", row.object}, {"outcome", row.outcome}, {"detail", row.detail}};
}

} // namespace casemate::verifier
