// SPDX-License-Identifier: Apache-2.0
// See json.hpp.
#include "attest/verifier/json.hpp"

#include <set>
#include <stdexcept>

#include "attest/verifier/encoding.hpp"

namespace casemate::verifier {
namespace {

struct Malformed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Watches the parser at work: nlohmann::json itself bounds no depth and lets the last duplicate win.
class Watch {
public:
    bool operator()(int depth, Json::parse_event_t event, Json& value) {
        if (depth > max_json_depth) throw Malformed("nested too deeply");
        if (event == Json::parse_event_t::object_start) keys_.emplace_back();
        if (event == Json::parse_event_t::object_end) keys_.pop_back();
        if (event == Json::parse_event_t::key && !keys_.back().insert(value.get<std::string>()).second)
            throw Malformed("a key occurs twice");
        return true;
    }

private:
    std::vector<std::set<std::string>> keys_;
};

} // namespace

Result<Json, ApiError> parse_object(std::string_view text) {
    try {
        Json value = Json::parse(text, [watch = Watch{}](int depth, Json::parse_event_t event, Json& parsed) mutable {
            return watch(depth, event, parsed);
        });
        if (!value.is_object()) return refuse(400, "json", "the body must be a JSON object");
        return value;
    } catch (const Malformed& reason) {
        return refuse(400, "json", reason.what());
    } catch (const Json::exception&) {
        return refuse(400, "json", "the body is not JSON");
    }
}

Result<std::string, ApiError> text_member(const Json& object, const char* name, std::size_t limit) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_string())
        return refuse(400, "member", std::string("\"") + name + "\" must be a string");
    std::string text = member->get<std::string>();
    if (text.size() > limit) return refuse(400, "member", std::string("\"") + name + "\" is too long");
    return text;
}

Result<Bytes, ApiError> bytes_member(const Json& object, const char* name, std::size_t limit) {
    const std::string text = TRY(text_member(object, name, limit / 3 * 4 + 4));
    std::optional<Bytes> bytes = from_base64(text);
    if (!bytes || bytes->empty() || bytes->size() > limit)
        return refuse(400, "member", std::string("\"") + name + "\" must be base64 of at most " +
                                         std::to_string(limit) + " bytes");
    return std::move(*bytes);
}

Result<std::vector<Bytes>, ApiError> bytes_list_member(const Json& object, const char* name, std::size_t count,
                                                       std::size_t limit) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_array() || member->size() > count)
        return refuse(400, "member", std::string("\"") + name + "\" must be an array of at most " +
                                         std::to_string(count) + " items");
    std::vector<Bytes> list;
    for (const Json& item : *member) list.push_back(TRY(bytes_member(Json{{name, item}}, name, limit)));
    return list;
}

bool is_hex_id(std::string_view text, std::size_t length) {
    if (text.size() != length) return false;
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace casemate::verifier
