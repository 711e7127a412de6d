// SPDX-License-Identifier: Apache-2.0
// The signed structures of a quote: TPMS_ATTEST and TPMT_SIGNATURE [TPM2-P2 10.12, 11.3]. Exact length, fixed shape, no
// allocation; what is not a quote signed by ECDSA P-256 with SHA-256 is refused. UNTRUSTED: all input.
// (TPM2B_PUBLIC of AK and EK is parsed once, at enrolment: attest/verifier/tpm_public.hpp.)
#pragma once

#include "attest/evidence/trust.hpp"
#include "dlaunch/measure/digest.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::attest {

inline constexpr std::uint32_t TPM_GENERATED_VALUE = 0xFF544347;
inline constexpr std::uint16_t TPM_ST_ATTEST_QUOTE = 0x8018;

struct TPMS_CLOCK_INFO { // [TPM2-P2 T116]
    std::uint64_t clock = 0; // milliseconds
    std::uint32_t resetCount = 0;
    std::uint32_t restartCount = 0;
    bool safe = false;
};

/// One TPMS_PCR_SELECTION; the algorithm may be none that we know.
struct PcrSelection {
    measure::TPM_ALG_ID bank{};
    std::uint32_t pcrs = 0; // bit n = PCR n
};

/// The selection inside the signed structure: the only one that counts.
struct TPML_PCR_SELECTION {
    static constexpr std::size_t max_count = 8;
    std::array<PcrSelection, max_count> items{};
    std::size_t count = 0;
    [[nodiscard]] const PcrSelection* begin() const { return items.data(); }
    [[nodiscard]] const PcrSelection* end() const { return items.data() + count; }
};

/// TPMS_ATTEST with TPMS_QUOTE_INFO; views into the input.
struct Quote {
    ByteView signed_bytes; // the whole structure: what the signature covers
    ByteView qualifiedSigner;
    ByteView extraData; // qualifying data
    TPMS_CLOCK_INFO clockInfo;
    std::uint64_t firmwareVersion = 0;
    TPML_PCR_SELECTION pcrSelect;
    ByteView pcrDigest;
};

enum class StructureError : std::uint8_t {
    malformed = 1,
    magic, // not TPM_GENERATED_VALUE: not made by a TPM
    type,  // another attestation structure than a quote
};

[[nodiscard]] Result<Unverified<Quote>, StructureError> parse_quote(ByteView attest);

/// r || s, each padded to 32 bytes, of a TPMT_SIGNATURE that is ECDSA with SHA-256.
using P256Signature = std::array<std::uint8_t, 64>;
[[nodiscard]] Result<P256Signature, StructureError> parse_signature(ByteView signature);

} // namespace casemate::attest
