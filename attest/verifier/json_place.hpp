// SPDX-License-Identifier: Apache-2.0
// Reading a JSON document strictly: every value with its JSON pointer [RFC 6901], so that a refusal says where.
// Called for reference sets; the document itself was parsed by parse_object().
#pragma once

#include "attest/verifier/json.hpp"

namespace casemate::verifier {

/// A value of a document and where it stands. Views the document.
class JsonPlace {
public:
    /// `code` is the word of every refusal.
    JsonPlace(const Json& value, const char* code) : value_{&value}, code_{code} {}

    [[nodiscard]] const Json& value() const { return *value_; }
    [[nodiscard]] bool has(const char* name) const { return value_->is_object() && value_->contains(name); }
    [[nodiscard]] Failure<ApiError> wrong(const std::string& what) const;

    /// A member that must be there.
    [[nodiscard]] Result<JsonPlace, ApiError> member(const char* name) const;
    /// An item of an array.
    [[nodiscard]] JsonPlace item(std::size_t index) const;
    /// An object with no other members than these.
    [[nodiscard]] Status<ApiError> only(std::initializer_list<std::string_view> known) const;

    [[nodiscard]] Result<std::uint64_t, ApiError> number() const;
    [[nodiscard]] Result<std::string, ApiError> text(std::size_t limit) const;
    /// Lower-case hexadecimal of exactly `size` bytes.
    [[nodiscard]] Result<Bytes, ApiError> hex(std::size_t size) const;
    /// Base64 of 1 to `limit` bytes.
    [[nodiscard]] Result<Bytes, ApiError> base64(std::size_t limit) const;
    /// `2027-01-31T00:00:00Z` [RFC 3339, UTC, whole seconds] in milliseconds since the Unix epoch.
    [[nodiscard]] Result<std::uint64_t, ApiError> time() const;

    // Of a member that must be there.
    [[nodiscard]] Result<std::uint64_t, ApiError> number(const char* name) const;
    [[nodiscard]] Result<std::string, ApiError> text(const char* name, std::size_t limit) const;
    [[nodiscard]] Result<Bytes, ApiError> hex(const char* name, std::size_t size) const;
    [[nodiscard]] Result<Bytes, ApiError> base64(const char* name, std::size_t limit) const;

private:
    JsonPlace(const Json& value, const char* code, std::string pointer)
        : value_{&value}, code_{code}, pointer_{std::move(pointer)} {}

    const Json* value_;
    const char* code_;
    std::string pointer_;
};

} // namespace casemate::verifier
