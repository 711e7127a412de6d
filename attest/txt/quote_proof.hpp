// SPDX-License-Identifier: Apache-2.0
// What a quote proves of a replayed log: for each bank the PCRs whose quoted value is the log's. In this order: shape, key,
// signature, nonce, then the PCR digest under the selection inside the signed structure, the only one that counts.
// Without the values beside the quote all selected PCRs agree or none is proved; with them (they are proved by the digest) each
// PCR has an answer of its own. Called by explain().
#pragma once

#include "attest/evidence/tpm_structures.hpp"
#include "attest/txt/launch_log.hpp"
#include "attest/txt/pcr_replay.hpp"
#include "attest/verifier/bytes.hpp"

namespace casemate::txt {

struct QuoteFiles {
    verifier::Bytes message;   // TPMS_ATTEST (tpm2_quote --message)
    verifier::Bytes signature; // TPMT_SIGNATURE, or plain
    verifier::Bytes ak;
    std::optional<verifier::Bytes> nonce;  // qualifying data that was asked for
    std::optional<verifier::Bytes> values; // of the quoted PCRs: raw, or as tpm2_pcrread prints them
};

struct BankProof {
    measure::TPM_ALG_ID bank{};
    std::uint32_t quoted = 0; // bit n: PCR n is in the selection
    std::uint32_t proved = 0; // and its value is that of the log
};

struct QuoteProof {
    std::vector<BankProof> banks;
    /// In a bank that counts: not SHA-1, and no event of PCR 17-22 misses it.
    std::uint32_t proved = 0;
};

/// Findings say why it proves nothing, or less than it should.
[[nodiscard]] QuoteProof check_quote(const LaunchLog& log, const QuoteFiles& files, Findings& findings);

/// The values of `--pcrs` in the order of the selection: what the quote's digest is over. Nothing when one is missing.
[[nodiscard]] std::optional<verifier::Bytes> quoted_values(ByteView file, const attest::TPML_PCR_SELECTION& selections);

} // namespace casemate::txt
