// SPDX-License-Identifier: Apache-2.0
// A JSON object written member by member: for the few documents that each round makes, where a tree of values would cost more than
// all that is in it. Names are words of this program; values are escaped. Called by result_token and judgement.
#pragma once

#include "attest/verifier/json.hpp"

namespace casemate::verifier {

class JsonText {
public:
    JsonText& text(const char* name, std::string_view value) {
        if (!is_plain(value)) return raw(name, Json(value).dump());
        begin(name).append("\"").append(value).append("\"");
        return *this;
    }
    JsonText& number(const char* name, std::int64_t value) { return raw(name, std::to_string(value)); }
    /// `json`: a whole value.
    JsonText& raw(const char* name, std::string_view json) {
        begin(name).append(json);
        return *this;
    }
    [[nodiscard]] std::string object() { return std::move(text_.append("}")); }

private:
    /// Stands in JSON as it is.
    static bool is_plain(std::string_view value) {
        for (const char c : value)
            if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') return false; // char is signed: what is not ASCII too
        return true;
    }
    std::string& begin(const char* name) { return text_.append(text_.empty() ? "{\"" : ",\"").append(name).append("\":"); }

    std::string text_;
};

} // namespace casemate::verifier
