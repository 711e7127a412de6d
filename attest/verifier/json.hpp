// SPDX-License-Identifier: Apache-2.0
// JSON from outside: bounded depth, no duplicate keys, an object at the top; and typed access to its members with
// an error that names the member. The size is bounded by the caller (the HTTP server's body limit).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "attest/verifier/bytes.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::verifier {

using Json = nlohmann::json;

/// What a request is refused with: an HTTP status, one word, one sentence.
struct ApiError {
    int status = 400;
    std::string code;
    std::string detail;
};
using Answer = Result<Json, ApiError>;

inline Failure<ApiError> refuse(int status, std::string code, std::string detail) {
    return {{status, std::move(code), std::move(detail)}};
}

inline constexpr int max_json_depth = 8;

/// UNTRUSTED text to an object.
[[nodiscard]] Result<Json, ApiError> parse_object(std::string_view text);

/// A member that must be there, as bytes of base64, between 1 and `limit` bytes.
[[nodiscard]] Result<Bytes, ApiError> bytes_member(const Json& object, const char* name, std::size_t limit);
/// A member that must be there: an array of base64 strings; at most `count` of them.
[[nodiscard]] Result<std::vector<Bytes>, ApiError> bytes_list_member(const Json& object, const char* name,
                                                                     std::size_t count, std::size_t limit);
[[nodiscard]] Result<std::string, ApiError> text_member(const Json& object, const char* name, std::size_t limit);

/// Refuses a member that is not in `known`, by its JSON pointer [RFC 6901] below `at`: what was given is never ignored.
[[nodiscard]] Status<ApiError> only_members(const Json& object, std::initializer_list<std::string_view> known,
                                            const std::string& at, const char* code);

/// A whole number that fits; not a fraction, and not one so large that it was read as one (nlohmann's own conversion
/// of such a number is undefined). Nothing when it is not there, or something else.
[[nodiscard]] std::optional<std::int64_t> whole_number(const Json& object, const char* name);

/// Lower-case hexadecimal of exactly this length: the grammar of every id.
[[nodiscard]] bool is_hex_id(std::string_view text, std::size_t length);

} // namespace casemate::verifier
