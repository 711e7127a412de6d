// SPDX-License-Identifier: Apache-2.0
// See json_place.hpp.
#include "attest/verifier/json_place.hpp"

#include <ctime>

#include "attest/verifier/encoding.hpp"

namespace casemate::verifier {

namespace {

constexpr std::string_view time_shape = "dddd-dd-ddTdd:dd:ddZ";

bool has_time_shape(std::string_view text) {
    if (text.size() != time_shape.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (time_shape[i] == 'd' ? !digit : text[i] != time_shape[i]) return false;
    }
    return true;
}

std::optional<std::uint64_t> seconds_of(const std::string& text) {
    if (!has_time_shape(text)) return std::nullopt;
    std::tm parts{};
    if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return std::nullopt;
    const std::tm asked = parts;
    const std::time_t seconds = ::timegm(&parts); // makes 31 February a day of March: refuse that
    const bool same = asked.tm_mday == parts.tm_mday && asked.tm_hour == parts.tm_hour && asked.tm_sec == parts.tm_sec;
    if (!same || seconds < 0) return std::nullopt;
    return static_cast<std::uint64_t>(seconds);
}

} // namespace

Failure<ApiError> JsonPlace::wrong(const std::string& what) const {
    return refuse(400, code_, (pointer_.empty() ? "/" : pointer_) + ": " + what);
}

Result<JsonPlace, ApiError> JsonPlace::member(const char* name) const {
    if (!value_->is_object()) return wrong("must be an object");
    const auto found = value_->find(name);
    if (found == value_->end()) return wrong(std::string("\"") + name + "\" is missing");
    return JsonPlace{*found, code_, pointer_ + "/" + name};
}

JsonPlace JsonPlace::item(std::size_t index) const {
    return {(*value_)[index], code_, pointer_ + "/" + std::to_string(index)};
}

Status<ApiError> JsonPlace::only(std::initializer_list<std::string_view> known) const {
    if (!value_->is_object()) return wrong("must be an object");
    return only_members(*value_, known, pointer_, code_);
}

Result<std::uint64_t, ApiError> JsonPlace::number() const {
    if (!value_->is_number_unsigned()) return wrong("must be a number");
    return value_->get<std::uint64_t>();
}

Result<std::string, ApiError> JsonPlace::text(std::size_t limit) const {
    if (!value_->is_string() || value_->get_ref<const std::string&>().size() > limit)
        return wrong("must be a text of at most " + std::to_string(limit) + " bytes");
    return value_->get<std::string>();
}

Result<Bytes, ApiError> JsonPlace::hex(std::size_t size) const {
    std::optional<Bytes> bytes = value_->is_string() ? from_hex(value_->get<std::string>()) : std::nullopt;
    if (!bytes || bytes->size() != size) return wrong("must be " + std::to_string(size) + " bytes of lower-case hex");
    return std::move(*bytes);
}

Result<Bytes, ApiError> JsonPlace::base64(std::size_t limit) const {
    std::optional<Bytes> bytes = value_->is_string() ? from_base64(value_->get<std::string>()) : std::nullopt;
    if (!bytes || bytes->empty() || bytes->size() > limit)
        return wrong("must be base64 of at most " + std::to_string(limit) + " bytes");
    return std::move(*bytes);
}

Result<std::uint64_t, ApiError> JsonPlace::time() const {
    const std::optional<std::uint64_t> seconds =
        value_->is_string() ? seconds_of(value_->get<std::string>()) : std::nullopt;
    if (!seconds) return wrong("must be a time such as 2027-01-31T00:00:00Z");
    return *seconds * 1000;
}

Result<std::uint64_t, ApiError> JsonPlace::number(const char* name) const {
    const JsonPlace place = TRY(member(name));
    return place.number();
}

Result<std::string, ApiError> JsonPlace::text(const char* name, std::size_t limit) const {
    const JsonPlace place = TRY(member(name));
    return place.text(limit);
}

Result<Bytes, ApiError> JsonPlace::hex(const char* name, std::size_t size) const {
    const JsonPlace place = TRY(member(name));
    return place.hex(size);
}

Result<Bytes, ApiError> JsonPlace::base64(const char* name, std::size_t limit) const {
    const JsonPlace place = TRY(member(name));
    return place.base64(limit);
}

} // namespace casemate::verifier
