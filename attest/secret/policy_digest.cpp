// SPDX-License-Identifier: Apache-2.0
// See policy_digest.hpp.
#include "attest/secret/policy_digest.hpp"

#include "hypervisor/base/check.hpp"

#include <algorithm>
#include <initializer_list>

namespace casemate::secret {
namespace {

using measure::TPM_CC;

Digest hash_of(std::initializer_list<ByteView> parts) {
    measure::Hasher hasher{measure::TPM_ALG_ID::SHA256};
    for (const ByteView part : parts) hasher.update(part);
    const measure::Digest digest = hasher.finish();
    Digest result;
    std::copy_n(digest.storage.begin(), result.size(), result.begin());
    return result;
}

template <std::size_t size, typename Write>
std::array<std::uint8_t, size> encoded(Write write) {
    std::array<std::uint8_t, size> bytes{};
    BigEndianWriter out{bytes};
    write(out);
    return bytes;
}

std::array<std::uint8_t, 4> code(TPM_CC command) {
    return encoded<4>([&](BigEndianWriter& out) { out.u32(static_cast<std::uint32_t>(command)); });
}

} // namespace

Digest expected_pcr_22(const Digest& vm_id) { return hash_of({Digest{}, measure::sha256(vm_id)}); }

Digest expected_policy(const Circumstances& at) {
    const Digest pcrs = hash_of({at.pcr_17, at.pcr_18, expected_pcr_22(at.vm_id)});
    const Digest with_pcrs = hash_of({Digest{}, code(TPM_CC::PolicyPCR), pcr_selection, pcrs});
    const Digest with_locality = hash_of({with_pcrs, code(TPM_CC::PolicyLocality), ByteView{&locality_two, 1}});
    const auto arguments = encoded<12>([&](BigEndianWriter& out) {
        out.u64(at.last_epoch);
        out.u16(0); // offset
        out.u16(operation_unsigned_le);
    });
    return hash_of({with_locality, code(TPM_CC::PolicyNV), hash_of({arguments}), epoch_counter(at.nv_index).name()});
}

PolicyReference::PolicyReference(std::string_view vm) {
    BigEndianWriter out{bytes_};
    for (const std::string_view part : {std::string_view{"casemate vm "}, vm})
        out.bytes({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()});
    CHECK(out.ok());
    size_ = out.size();
}

Digest expected_auth_policy(ByteView owner_point, std::string_view vm) {
    const Digest with_key = hash_of({Digest{}, code(TPM_CC::PolicyAuthorize), owner_key(owner_point).name()});
    return hash_of({with_key, PolicyReference{vm}.view()});
}

Digest approval_digest(const Digest& approved_policy, std::string_view vm) {
    return hash_of({approved_policy, PolicyReference{vm}.view()});
}

} // namespace casemate::secret
