// SPDX-License-Identifier: Apache-2.0
// See json.hpp.
#include "attest/verifier/json.hpp"

#include <algorithm>
#include <limits>

#include <simdjson.h>

#include "attest/verifier/encoding.hpp"

namespace casemate::verifier {
namespace {

namespace dom = simdjson::dom;

/// Why a document is refused, in one sentence; null: it is not.
using Complaint = const char*;

Complaint convert(const dom::element& from, Json& to);

/// The parser keeps every member of an object, so a key that occurs twice is seen here.
Complaint convert_object(const dom::object& from, Json& to) {
    to = Json::object();
    for (const auto [key, value] : from) {
        const auto [member, inserted] = to.emplace(std::string{key}, nullptr);
        if (!inserted) return "a key occurs twice";
        if (const Complaint complaint = convert(value, *member)) return complaint;
    }
    return nullptr;
}

Complaint convert_array(const dom::array& from, Json& to) {
    to = Json::array();
    for (const dom::element item : from)
        if (const Complaint complaint = convert(item, to.emplace_back())) return complaint;
    return nullptr;
}

/// The element has the type that it is asked for: value_unsafe() cannot go wrong.
Complaint convert(const dom::element& from, Json& to) {
    switch (from.type()) {
    case dom::element_type::OBJECT: return convert_object(from.get_object().value_unsafe(), to);
    case dom::element_type::ARRAY: return convert_array(from.get_array().value_unsafe(), to);
    case dom::element_type::STRING: to = std::string{from.get_string().value_unsafe()}; return nullptr;
    case dom::element_type::INT64: // numbers from 0 to 2^63 - 1 too, which Json has as unsigned
        if (from.get_int64().value_unsafe() < 0) to = from.get_int64().value_unsafe();
        else to = from.get_uint64().value_unsafe();
        return nullptr;
    case dom::element_type::UINT64: to = from.get_uint64().value_unsafe(); return nullptr;
    case dom::element_type::DOUBLE: to = from.get_double().value_unsafe(); return nullptr;
    case dom::element_type::BOOL: to = from.get_bool().value_unsafe(); return nullptr;
    case dom::element_type::NULL_VALUE: to = nullptr; return nullptr;
    }
    return "the body is not JSON";
}

/// One a thread, since it keeps its memory: as much as the largest body needed.
dom::parser& parser() {
    thread_local dom::parser mine;
    return mine;
}

constexpr std::size_t max_shown = 64;

/// One step of a JSON pointer [RFC 6901 3].
std::string pointer_step(const std::string& key) {
    std::string step = "/";
    for (const char c : key.substr(0, max_shown)) {
        if (c == '~') step += "~0";
        else if (c == '/') step += "~1";
        else step += c;
    }
    return step;
}

} // namespace

Result<Json, ApiError> parse_object(std::string_view text) {
    if (text.empty()) return refuse(400, "json", "the body is not JSON"); // its data may be null, which the parser copies
    if (parser().allocate(text.size(), max_json_depth + 1) != simdjson::SUCCESS)
        return refuse(400, "json", "there is no memory for the body");
    dom::element document;
    const simdjson::error_code error = parser().parse(text.data(), text.size()).get(document);
    if (error == simdjson::DEPTH_ERROR) return refuse(400, "json", "nested too deeply");
    if (error != simdjson::SUCCESS) return refuse(400, "json", "the body is not JSON");
    Json value;
    if (const Complaint complaint = convert(document, value)) return refuse(400, "json", complaint);
    if (!value.is_object()) return refuse(400, "json", "the body must be a JSON object");
    return value;
}

namespace {

/// A view into it: a log is long.
Result<std::string_view, ApiError> text_of(const Json& member, const char* name, std::size_t limit) {
    if (!member.is_string()) return refuse(400, "member", std::string("\"") + name + "\" must be a string");
    const std::string_view text = member.get_ref<const std::string&>();
    if (text.size() > limit) return refuse(400, "member", std::string("\"") + name + "\" is too long");
    return text;
}

Result<Bytes, ApiError> bytes_of(const Json& member, const char* name, std::size_t limit) {
    std::optional<Bytes> bytes = from_base64(TRY(text_of(member, name, limit / 3 * 4 + 4)));
    if (!bytes || bytes->empty() || bytes->size() > limit)
        return refuse(400, "member", std::string("\"") + name + "\" must be base64 of at most " +
                                         std::to_string(limit) + " bytes");
    return std::move(*bytes);
}

/// Null when it is not there: that is no text either.
const Json& member_of(const Json& object, const char* name) {
    static const Json nothing;
    const auto member = object.find(name);
    return member == object.end() ? nothing : *member;
}

} // namespace

Result<std::string, ApiError> text_member(const Json& object, const char* name, std::size_t limit) {
    return std::string{TRY(text_of(member_of(object, name), name, limit))};
}

Result<Bytes, ApiError> bytes_member(const Json& object, const char* name, std::size_t limit) {
    return bytes_of(member_of(object, name), name, limit);
}

Result<std::vector<Bytes>, ApiError> bytes_list_member(const Json& object, const char* name, std::size_t count,
                                                       std::size_t limit) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_array() || member->size() > count)
        return refuse(400, "member", std::string("\"") + name + "\" must be an array of at most " +
                                         std::to_string(count) + " items");
    std::vector<Bytes> list;
    for (const Json& item : *member) list.push_back(TRY(bytes_of(item, name, limit)));
    return list;
}

Status<ApiError> only_members(const Json& object, std::initializer_list<std::string_view> known,
                              const std::string& at, const char* code) {
    for (const auto& [key, value] : object.items())
        if (std::find(known.begin(), known.end(), key) == known.end())
            return refuse(400, code, at + pointer_step(key) + ": unknown member");
    return Done{};
}

std::optional<std::int64_t> whole_number(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number_integer()) return std::nullopt;
    if (member->is_number_unsigned() && member->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return member->get<std::int64_t>();
}

bool is_hex_id(std::string_view text, std::size_t length) {
    if (text.size() != length) return false;
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace casemate::verifier
