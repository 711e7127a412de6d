// SPDX-License-Identifier: Apache-2.0
// See trail_file.hpp. The line is written again from what was read and compared: there is one spelling of each entry.
#include "attest/audit/trail_file.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::audit {
namespace {

using nlohmann::ordered_json;
using verifier::Json;

constexpr std::size_t max_line = 16 * 1024;

/// Throws Json::exception when a member is missing or of another type; the caller turns that into "no entry".
std::optional<ChainedRow> read_row(const Json& object) {
    const auto sequence = verifier::whole_number(object, "sequence");
    const auto at = verifier::whole_number(object, "at");
    if (!sequence || !at) return std::nullopt;
    ChainedRow row;
    row.sequence = *sequence;
    row.row = {*at,
               object.at("actor").get<std::string>(),
               object.at("action").get<std::string>(),
               object.at("object").get<std::string>(),
               object.at("outcome").get<std::string>(),
               object.at("detail").get<std::string>()};
    const auto hash = verifier::from_hex(object.at("hash").get<std::string>());
    if (!hash || hash->size() != row.hash.size() || !is_clean(row.row)) return std::nullopt;
    std::copy(hash->begin(), hash->end(), row.hash.begin());
    return row;
}

std::optional<Entry> read_entry(const Json& object) {
    if (object.contains("checkpoint")) {
        auto message = verifier::from_base64(object.at("checkpoint").get<std::string>());
        if (!message || message->size() > max_checkpoint) return std::nullopt;
        return Entry{SignedCheckpoint{message->begin(), message->end()}};
    }
    std::optional<ChainedRow> row = read_row(object);
    if (!row) return std::nullopt;
    return Entry{std::move(*row)};
}

} // namespace

std::string line_of(const ChainedRow& row) {
    const ordered_json line{{"sequence", row.sequence},      {"at", row.row.at},         {"actor", row.row.actor},
                            {"action", row.row.action},      {"object", row.row.object}, {"outcome", row.row.outcome},
                            {"detail", row.row.detail},      {"hash", verifier::to_hex(row.hash)}};
    return line.dump() + "\n";
}

std::string line_of(const SignedCheckpoint& checkpoint) {
    return ordered_json{{"checkpoint", verifier::to_base64(checkpoint)}}.dump() + "\n";
}

std::optional<Entry> read_line(std::string_view line) {
    if (line.size() > max_line) return std::nullopt;
    const auto object = verifier::parse_object(line);
    if (!object) return std::nullopt;
    try {
        std::optional<Entry> entry = read_entry(object.value());
        if (!entry) return std::nullopt;
        const std::string again = std::visit([](const auto& one) { return line_of(one); }, *entry);
        if (std::string_view{again}.substr(0, again.size() - 1) != line) return std::nullopt;
        return entry;
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

} // namespace casemate::audit
