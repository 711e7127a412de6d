// SPDX-License-Identifier: Apache-2.0
// See platform_record.hpp. What was read is written again and compared: there is one spelling of each record.
#include "attest/owner/platform_record.hpp"

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::owner {
namespace {

using verifier::Json;

constexpr const char* file_name = "platform.json";
constexpr std::size_t modulus_size = 256, max_certificate = 4096;

std::optional<std::uint32_t> handle_of(const Json& text) {
    const auto bytes = verifier::from_hex(text.get<std::string>());
    if (!bytes || bytes->size() != 4) return std::nullopt;
    return BigEndianReader{*bytes}.u32();
}

std::string text_of_handle(std::uint32_t handle) { return verifier::to_hex(verifier::big_endian(handle, 4)); }

/// Throws Json::exception when a member is missing or of another type; the caller turns that into "no record".
std::optional<PlatformRecord> record_of(const Json& object) {
    const auto key = handle_of(object.at("endorsement_key").at("handle")), counter = handle_of(object.at("epoch_counter").at("index"));
    const auto modulus = verifier::from_hex(object.at("endorsement_key").at("modulus").get<std::string>());
    const auto certificate = verifier::from_base64(object.at("endorsement_key").at("certificate").get<std::string>());
    const auto epoch = verifier::whole_number(object.at("epoch_counter"), "value");
    const bool good = key && counter && modulus && modulus->size() == modulus_size && certificate &&
                      certificate->size() <= max_certificate && epoch && *epoch > 0;
    if (!good) return std::nullopt;
    return PlatformRecord{*key, *modulus, *certificate, *counter, static_cast<std::uint64_t>(*epoch)};
}

} // namespace

std::string PlatformRecord::platform_id() const {
    return verifier::to_hex(measure::sha256(secret::endorsement_key(modulus).view()));
}

std::string text_of(const PlatformRecord& record) {
    const Json key{{"handle", text_of_handle(record.endorsement_key)},
                   {"modulus", verifier::to_hex(record.modulus)},
                   {"certificate", verifier::to_base64(record.ek_certificate)}};
    const Json counter{{"index", text_of_handle(record.epoch_counter)}, {"value", record.epoch}};
    return Json{{"version", 1}, {"platform_id", record.platform_id()}, {"endorsement_key", key}, {"epoch_counter", counter}}.dump(1) + "\n";
}

Outcome<PlatformRecord> read_record(const PlatformDirectory& directory) {
    const auto text = TRY(directory.read(file_name));
    if (!text) return fail(directory.path().string() + " has no platform.json: provision the platform first (./casemate provision --help)");
    const auto broken = fail((directory.path() / file_name).string() + " is damaged, or by another version of Casemate");
    const auto object = verifier::parse_object(*text);
    if (!object) return broken;
    try {
        const auto record = record_of(object.value());
        if (!record || text_of(*record) != *text) return broken;
        return *record;
    } catch (const Json::exception&) {
        return broken;
    }
}

Status<Error> write_record(const PlatformDirectory& directory, const PlatformRecord& record) {
    return directory.replace(file_name, text_of(record));
}

} // namespace casemate::owner
