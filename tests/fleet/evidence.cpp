// SPDX-License-Identifier: Apache-2.0
// See evidence.hpp.
#include "tests/fleet/evidence.hpp"

namespace casemate::fleet {
namespace {

using verifier::to_base64;
using verifier::to_hex;

constexpr std::uint64_t firmware_version = 0x2019102300163636;
constexpr std::size_t name_size = 34; // of the signing key: nothing in a quote depends on it

Json to_json(const attest::LeaseReport& lease) {
    const DeviceAddress& device = lease.device;
    return {{"grant_id", to_hex(lease.grant_id)},
            {"device", {device.segment, device.bus, device.device, device.function}},
            {"vm_id", to_hex(lease.vm_id)},
            {"gate_nonce", to_hex(lease.gate_nonce)},
            {"ms_left", lease.ms_left}};
}

void write_selection(BigEndianWriter& out, const attest::PcrSelection& selection) {
    out.u16(static_cast<std::uint16_t>(selection.bank));
    out.u8(3);
    for (int octet = 0; octet < 3; ++octet) out.u8(static_cast<std::uint8_t>(selection.pcrs >> (8 * octet)));
}

} // namespace

std::vector<attest::PcrSelection> whole_selection() {
    std::vector<attest::PcrSelection> all;
    for (const measure::TPM_ALG_ID bank : LaunchModel::banks()) all.push_back({bank, launch_pcr_mask});
    return all;
}

Bytes encode(const QuoteFields& fields, const measure::LaunchPcrs& pcrs) {
    Bytes buffer(512);
    BigEndianWriter out{buffer};
    out.u32(fields.magic);
    out.u16(fields.type);
    out.u16(name_size);
    out.bytes(Bytes(name_size, 0x0b));
    out.u16(static_cast<std::uint16_t>(fields.qualifying_data.size()));
    out.bytes(fields.qualifying_data);
    out.u64(fields.clock.clock);
    out.u32(fields.clock.resetCount);
    out.u32(fields.clock.restartCount);
    out.u8(fields.clock.safe ? 1 : 0);
    out.u64(firmware_version);
    out.u32(static_cast<std::uint32_t>(fields.selection.size()));
    measure::Hasher composite{measure::TPM_ALG_ID::SHA256};
    for (const attest::PcrSelection& selection : fields.selection) {
        write_selection(out, selection);
        for (std::uint32_t pcr = measure::first_launch_pcr; pcr <= measure::last_launch_pcr; ++pcr)
            if ((selection.pcrs >> pcr & 1) != 0) composite.update(pcrs.value(selection.bank, pcr).view());
    }
    out.u16(verifier::sha256_size);
    out.bytes(composite.finish().view());
    buffer.resize(out.size());
    return buffer;
}

std::string encode_tail(ByteView log, const std::vector<Bytes>& gates, const std::vector<attest::LeaseReport>& leases) {
    Json gate_list = Json::array(), lease_list = Json::array();
    for (const Bytes& gate : gates) gate_list.push_back(to_base64(gate));
    for (const attest::LeaseReport& lease : leases) lease_list.push_back(to_json(lease));
    return "\"log\":\"" + to_base64(log) + "\",\"gates\":" + gate_list.dump() + ",\"leases\":" + lease_list.dump() + "}";
}

std::string encode_body(const std::string& challenge_id, ByteView quote, ByteView signature, const std::string& tail) {
    std::string body;
    body.reserve(tail.size() + 1024);
    body.append("{\"challenge_id\":\"").append(challenge_id).append("\",\"quote\":\"").append(to_base64(quote));
    return body.append("\",\"signature\":\"").append(to_base64(signature)).append("\",").append(tail);
}

std::string encode_body(const Evidence& evidence) {
    return encode_body(evidence.challenge_id, evidence.quote, evidence.signature,
                       encode_tail(evidence.log, evidence.gates, evidence.leases));
}

} // namespace casemate::fleet
