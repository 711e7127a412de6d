// SPDX-License-Identifier: Apache-2.0
// See tboot.hpp.
#include "attest/txt/tboot.hpp"

#include "hypervisor/base/check.hpp"

namespace casemate::txt {

namespace {

using measure::Digest;
using measure::Hasher;
using measure::TPM_ALG_ID;

// tb_policy_t: version, type, hash algorithm; control; reserved; number of entries. Each entry: module (81: all others, 83: an NV
// index as it is), PCR (ff: none), hash type (any), NV index, number of hashes.
#define TB_POLICY(algorithm, others_pcr)                                                                                       \
    2, 0, algorithm, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0x00, 0xff, 0, 0, 0, 0, 0, 0, 0x81, others_pcr, 0, 0, 0, 0, 0, 0, 0x83, 22, 0, \
        0x10, 0, 0, 0x40, 0
constexpr std::uint8_t sha256_details[] = {TB_POLICY(0x0b, 17)};
constexpr std::uint8_t sha256_legacy[] = {TB_POLICY(0x0b, 19)};
constexpr std::uint8_t sha1_legacy[] = {TB_POLICY(0x04, 19)};
#undef TB_POLICY
constexpr std::size_t control_offset = 3;
constexpr std::uint32_t extend_policy = 1; // TB_POLCTL_EXTEND_PCR17

bool is_measurement_of(ByteView policy, const Digest& digest) {
    return calculate_policy_event(policy, digest.algorithm, digest.algorithm) == digest ||
           calculate_policy_event(policy, digest.algorithm, TPM_ALG_ID::SHA256) == digest;
}

} // namespace

std::optional<std::uint32_t> policy_control(ByteView policy) {
    if (policy.size() < control_offset + 4) return std::nullopt;
    LittleEndianReader reader{policy.subspan(control_offset)};
    return reader.u32();
}

Digest calculate_policy_event(ByteView policy, TPM_ALG_ID bank, TPM_ALG_ID inner) {
    const std::optional<std::uint32_t> control = policy_control(policy);
    CHECK(control.has_value());
    Hasher hasher{bank};
    hasher.update(policy.subspan(control_offset, 4));
    hasher.update((*control & extend_policy) != 0 ? measure::hash(inner, policy).view() : Digest::filled(inner, 0).view());
    return hasher.finish();
}

ByteView default_policy(PcrMap map) { return map == PcrMap::legacy ? ByteView{sha256_legacy} : ByteView{sha256_details}; }

bool is_default_policy(const measure::DigestSet& digests) {
    for (const ByteView policy : {ByteView{sha256_details}, ByteView{sha256_legacy}, ByteView{sha1_legacy}}) {
        bool all = digests.size() != 0;
        for (const Digest& digest : digests) all = all && is_measurement_of(policy, digest);
        if (all) return true;
    }
    return false;
}

Digest calculate_module_event(std::string_view command_line, ByteView image, TPM_ALG_ID bank) {
    // SAFETY: unsigned char may alias char.
    const ByteView text{reinterpret_cast<const std::uint8_t*>(command_line.data()), command_line.size()};
    Hasher hasher{bank};
    hasher.update(measure::hash(bank, text).view());
    hasher.update(measure::hash(bank, image).view());
    return hasher.finish();
}

std::uint32_t pcr_of_module(PcrMap map, std::size_t number) {
    if (map == PcrMap::details_authorities) return 17;
    return number == 0 ? 18 : 19;
}

} // namespace casemate::txt
