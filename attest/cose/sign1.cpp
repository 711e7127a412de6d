// SPDX-License-Identifier: Apache-2.0
// See sign1.hpp.
#include "attest/cose/sign1.hpp"

#include "hypervisor/base/cbor_reader.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate::cose {

Result<Sign1, CoseError> read_sign1(ByteView message) {
    CborReader in{message};
    in.expect_tag(tag_sign1);
    in.expect_array(4);
    const ByteView protected_header = in.bytes(max_protected);
    in.expect_map(0);
    const ByteView payload = in.bytes(max_payload);
    const ByteView signature = in.bytes_exactly(signature_size);
    if (!in.finished()) return Failure{CoseError::shape};
    return Sign1{protected_header, payload, signature};
}

void write_sign1(CborWriter& out, const Sign1& message) {
    out.tag(tag_sign1);
    out.array(4);
    out.bytes(message.protected_header);
    out.map(0);
    out.bytes(message.payload);
    out.bytes(message.signature);
}

SignedBytes::SignedBytes(ByteView protected_header, ByteView payload, ByteView signer_header) : payload_{payload} {
    CborWriter out{prefix_};
    out.array(signer_header.empty() ? 4 : 5);
    out.text(std::string_view{"Signature1"}.substr(0, signer_header.empty() ? 10 : 9)); // "Signature1" or "Signature"
    out.bytes(protected_header);
    if (!signer_header.empty()) out.bytes(signer_header);
    out.bytes({}); // external_aad
    out.bytes_head(payload.size());
    CHECK(out.ok());
    prefix_size_ = out.size();
}

bool verify(const SignedBytes& bytes, ByteView signature, const measure::P256PublicKey& key) {
    if (!measure::signature_is_low_s(signature)) return false;
    measure::Hasher hasher{measure::TPM_ALG_ID::SHA256};
    hasher.update(bytes.prefix());
    hasher.update(bytes.payload());
    return key.verify(hasher.finish().view(), signature);
}

bool verify(const Sign1& message, const measure::P256PublicKey& key) {
    return verify(SignedBytes{message.protected_header, message.payload}, message.signature, key);
}

} // namespace casemate::cose
