// SPDX-License-Identifier: Apache-2.0
// Implements json_fields.hpp.
#include "attest/agent/json_fields.hpp"

#include "attest/relay/encoding.hpp"

namespace casemate::agent {
namespace {

constexpr std::size_t max_list = 64;

Failure<Error> malformed(const char* name) {
    return fail(std::string{"the verifier's answer has no proper \""} + name + "\"");
}

} // namespace

Outcome<std::string> text_field(const Json& object, const char* name) {
    if (!object.is_object() || !object.contains(name) || !object[name].is_string()) return malformed(name);
    return object[name].get<std::string>();
}

Outcome<Bytes> base64_field(const Json& object, const char* name) {
    auto bytes = relay::from_base64(TRY(text_field(object, name)));
    if (!bytes) return malformed(name);
    return std::move(*bytes);
}

Outcome<std::vector<Bytes>> base64_list_field(const Json& object, const char* name) {
    std::vector<Bytes> list;
    if (!object.is_object() || !object.contains(name)) return list;
    const Json& array = object[name];
    if (!array.is_array() || array.size() > max_list) return malformed(name);
    for (const Json& element : array) {
        auto bytes = element.is_string() ? relay::from_base64(element.get<std::string>()) : std::nullopt;
        if (!bytes) return malformed(name);
        list.push_back(std::move(*bytes));
    }
    return list;
}

std::uint64_t number_field_or(const Json& object, const char* name, std::uint64_t otherwise) {
    if (!object.is_object() || !object.contains(name) || !object[name].is_number_unsigned()) return otherwise;
    return object[name].get<std::uint64_t>();
}

Outcome<Json> body_of(Response response) {
    if (response.status >= 200 && response.status < 300) return std::move(response.body);
    const std::string detail = response.body.is_object() && response.body.contains("error")
                                   ? response.body["error"].dump(-1, ' ', true, Json::error_handler_t::replace)
                                   : "no reason given";
    return fail("status " + std::to_string(response.status) + " " + detail);
}

} // namespace casemate::agent
