// SPDX-License-Identifier: Apache-2.0
// See evidence_body.hpp.
#include "attest/verifier/evidence_body.hpp"

#include <array>

#include "attest/appraise/firmware_log.hpp"
#include "attest/verifier/encoding.hpp"
#include "policy/model/policy.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_quote = 4096;
constexpr std::size_t max_signature = 1024;
constexpr std::size_t max_log = 700 * 1024; // what fits the HTTP body
constexpr std::size_t max_gates = policy::max_devices * policy::max_holders;

template <std::size_t size>
Status<ApiError> hex_member(const Json& object, const char* name, std::array<std::uint8_t, size>& out) {
    const std::string text = TRY(text_member(object, name, 2 * size));
    const std::optional<Bytes> bytes = from_hex(text);
    if (!bytes || bytes->size() != size)
        return refuse(400, "member", std::string("\"") + name + "\" must be " + std::to_string(size) + " bytes of hex");
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return Done{};
}

Result<std::uint64_t, ApiError> number_member(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end() || !member->is_number_unsigned())
        return refuse(400, "member", std::string("\"") + name + "\" must be a number");
    return member->get<std::uint64_t>();
}

Result<DeviceAddress, ApiError> device_member(const Json& object) {
    constexpr std::array<std::uint64_t, 4> limits{0xFFFF, 0xFF, 31, 7};
    const auto member = object.find("device");
    bool good = member != object.end() && member->is_array() && member->size() == limits.size();
    for (std::size_t i = 0; good && i < limits.size(); ++i)
        good = (*member)[i].is_number_unsigned() && (*member)[i].get<std::uint64_t>() <= limits[i];
    if (!good) return refuse(400, "member", "\"device\" must be [segment, bus, device, function]");
    return DeviceAddress{(*member)[0].get<std::uint16_t>(), (*member)[1].get<std::uint8_t>(),
                         (*member)[2].get<std::uint8_t>(), (*member)[3].get<std::uint8_t>()};
}

Result<attest::LeaseReport, ApiError> lease(const Json& object) {
    if (!object.is_object()) return refuse(400, "member", "a lease must be an object");
    attest::LeaseReport report;
    TRY(hex_member(object, "grant_id", report.grant_id));
    TRY(hex_member(object, "vm_id", report.vm_id));
    TRY(hex_member(object, "gate_nonce", report.gate_nonce));
    report.device = TRY(device_member(object));
    report.ms_left = TRY(number_member(object, "ms_left"));
    return report;
}

} // namespace

Result<EvidenceBody, ApiError> EvidenceBody::parse(const Json& body) {
    EvidenceBody evidence;
    evidence.challenge_id_ = TRY(text_member(body, "challenge_id", 32));
    if (!is_hex_id(evidence.challenge_id_, 32)) return refuse(400, "member", "\"challenge_id\" must be 32 hex digits");
    evidence.quote_ = TRY(bytes_member(body, "quote", max_quote));
    evidence.signature_ = TRY(bytes_member(body, "signature", max_signature));
    evidence.log_ = TRY(bytes_member(body, "log", max_log));
    if (body.contains("firmware_log")) evidence.firmware_log_ = TRY(bytes_member(body, "firmware_log", attest::max_firmware_log));
    evidence.gates_ = TRY(bytes_list_member(body, "gates", max_gates, measure::max_gate_request));
    for (const Bytes& gate : evidence.gates_) evidence.gate_views_.emplace_back(gate);
    const auto leases = body.find("leases");
    if (leases == body.end() || !leases->is_array() || leases->size() > policy::max_devices)
        return refuse(400, "member", "\"leases\" must be an array of at most 32 items");
    for (const Json& item : *leases) evidence.leases_.push_back(TRY(lease(item)));
    return evidence;
}

} // namespace casemate::verifier
