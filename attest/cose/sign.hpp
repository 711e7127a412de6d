// SPDX-License-Identifier: Apache-2.0
// Tagged COSE_Sign [RFC 9052 4.1]: one payload under several ES256 signatures, all unprotected headers empty; or a COSE_Sign1, which
// has one. The envelope of a policy. Reads the one canonical encoding only; says nothing about a signature until asked.
// Who calls it: policy/model. What has one signer by its nature: sign1.hpp.
#pragma once

#include "attest/cose/sign1.hpp"

namespace casemate::cose {

inline constexpr std::size_t max_signatures = 5;

/// What one signer adds. UNTRUSTED until verified.
struct Signature {
    ByteView protected_header; // of a COSE_Sign1: empty
    ByteView signature;
};

/// Views into the message that was read. UNTRUSTED until verified.
struct Sign {
    bool is_sign1 = false;
    ByteView protected_header; // of the body: every signature covers it
    ByteView payload;
    std::size_t count = 0; // of a COSE_Sign also 0: nobody has signed it yet
    std::array<Signature, max_signatures> signatures{};

    [[nodiscard]] SignedBytes signed_bytes(std::size_t i) const { return {protected_header, payload, signatures[i].protected_header}; }
};

/// Filled in place; rubbish when false. A signer's header is never empty.
[[nodiscard]] bool read_sign(ByteView message, Sign& sign);
/// A COSE_Sign.
void write_sign(CborWriter& out, const Sign& message);

} // namespace casemate::cose
