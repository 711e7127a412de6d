// SPDX-License-Identifier: Apache-2.0
// See tpm_areas.hpp.
#include "attest/secret/tpm_areas.hpp"

#include "hypervisor/base/check.hpp"

namespace casemate::secret {
namespace {

// [TPM2-P2 T9]
constexpr std::uint16_t alg_rsa = 0x0001, alg_aes = 0x0006, alg_keyedhash = 0x0008, alg_sha256 = 0x000B, alg_null = 0x0010,
                        alg_ecdsa = 0x0018, alg_ecc = 0x0023, alg_cfb = 0x0043;
constexpr std::uint16_t curve_p256 = 0x0003; // [TPM2-P2 T12]
// TPMA_OBJECT [TPM2-P2 8.3]
constexpr std::uint32_t fixed_tpm = 1 << 1, fixed_parent = 1 << 4, sensitive_data_origin = 1 << 5, user_with_auth = 1 << 6,
                        admin_with_policy = 1 << 7, no_da = 1 << 10, restricted = 1 << 16, decrypt = 1 << 17,
                        sign = 1 << 18;
// TPMA_NV [TPM2-P2 13.4]
constexpr std::uint32_t nv_owner_write = 1 << 1, nv_counter = 1 << 4, nv_owner_read = 1 << 17, nv_auth_read = 1 << 18,
                        nv_no_da = 1 << 25, nv_written = 1 << 29;

/// PolicySecret(endorsement hierarchy), SHA-256: PolicyA of the template.
constexpr std::array<std::uint8_t, 32> policy_a = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
    0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA};

void sized(BigEndianWriter& out, ByteView bytes) {
    out.u16(static_cast<std::uint16_t>(bytes.size()));
    out.bytes(bytes);
}

void head(BigEndianWriter& out, std::uint16_t type, std::uint32_t attributes, ByteView auth_policy) {
    out.u16(type);
    out.u16(alg_sha256); // nameAlg
    out.u32(attributes);
    sized(out, auth_policy);
}

} // namespace

template <typename Write>
TpmArea make_area(Write write) {
    TpmArea area;
    BigEndianWriter out{area.bytes_};
    write(out);
    CHECK(out.ok());
    area.size_ = out.size();
    return area;
}

TpmArea endorsement_key(ByteView modulus) {
    return make_area([&](BigEndianWriter& out) {
        head(out, alg_rsa, fixed_tpm | fixed_parent | sensitive_data_origin | admin_with_policy | restricted | decrypt, policy_a);
        for (const std::uint16_t each : {alg_aes, std::uint16_t{128}, alg_cfb, alg_null, std::uint16_t{2048}}) out.u16(each);
        out.u32(0); // the usual exponent
        sized(out, modulus);
    });
}

TpmArea owner_key(ByteView point) {
    CHECK(point.size() == measure::p256_point_size);
    return make_area([&](BigEndianWriter& out) {
        head(out, alg_ecc, user_with_auth | sign, {});
        for (const std::uint16_t each : {alg_null, alg_ecdsa, alg_sha256, curve_p256, alg_null}) out.u16(each);
        sized(out, point.subspan(1, 32));
        sized(out, point.subspan(33, 32));
    });
}

TpmArea sealed_object(const measure::Sha256Digest& auth_policy, const measure::Sha256Digest& unique) {
    return make_area([&](BigEndianWriter& out) {
        head(out, alg_keyedhash, admin_with_policy | no_da, auth_policy);
        out.u16(alg_null); // no scheme: data
        sized(out, unique);
    });
}

TpmArea epoch_counter(std::uint32_t nv_index) {
    return make_area([&](BigEndianWriter& out) {
        out.u32(nv_index);
        out.u16(alg_sha256);
        out.u32(nv_owner_write | nv_counter | nv_owner_read | nv_auth_read | nv_no_da | nv_written);
        sized(out, {}); // no policy
        out.u16(8);
    });
}

} // namespace casemate::secret
