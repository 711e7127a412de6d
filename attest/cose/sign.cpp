// SPDX-License-Identifier: Apache-2.0
// See sign.hpp.
#include "attest/cose/sign.hpp"

#include "hypervisor/base/cbor_reader.hpp"

namespace casemate::cose {
namespace {

constexpr std::uint64_t tag_sign = 98; // [RFC 9052 2]

} // namespace

bool read_sign(ByteView message, Sign& sign) {
    CborReader in{message};
    const std::uint64_t tag = in.tag();
    sign.is_sign1 = tag == tag_sign1;
    if (!sign.is_sign1 && tag != tag_sign) return false;
    in.expect_array(4);
    sign.protected_header = in.bytes(max_body_protected);
    in.expect_map(0);
    sign.payload = in.bytes(max_payload);
    sign.count = sign.is_sign1 ? 1 : in.array_size(max_signatures);
    for (std::size_t i = 0; i < sign.count; ++i) {
        Signature& each = sign.signatures[i];
        if (!sign.is_sign1) {
            in.expect_array(3);
            each.protected_header = in.bytes(max_signer_protected);
            if (each.protected_header.empty()) return false;
            in.expect_map(0);
        }
        each.signature = in.bytes_exactly(signature_size);
    }
    return in.finished();
}

void write_sign(CborWriter& out, const Sign& message) {
    out.tag(tag_sign);
    out.array(4);
    out.bytes(message.protected_header);
    out.map(0);
    out.bytes(message.payload);
    out.array(message.count);
    for (std::size_t i = 0; i < message.count; ++i) {
        out.array(3);
        out.bytes(message.signatures[i].protected_header);
        out.map(0);
        out.bytes(message.signatures[i].signature);
    }
}

} // namespace casemate::cose
