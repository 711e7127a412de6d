// SPDX-License-Identifier: Apache-2.0
// TPM2_Quote over the PCRs that the verifier asked for.
#include "attest/agent/tpm_connection.hpp"

#include <algorithm>

namespace casemate::agent {
namespace {

constexpr unsigned pcr_count = 24;

Outcome<TPM2_ALG_ID> algorithm_of(const std::string& bank) {
    if (bank == "sha1") return TPM2_ALG_ID{TPM2_ALG_SHA1};
    if (bank == "sha256") return TPM2_ALG_ID{TPM2_ALG_SHA256};
    if (bank == "sha384") return TPM2_ALG_ID{TPM2_ALG_SHA384};
    if (bank == "sha512") return TPM2_ALG_ID{TPM2_ALG_SHA512};
    return fail("the verifier asked for an unknown PCR bank: " + bank);
}

Outcome<TPML_PCR_SELECTION> to_tpm(const PcrSelection& selection) {
    TPML_PCR_SELECTION list{};
    for (const auto& [bank, indices] : selection) {
        if (list.count == TPM2_NUM_PCR_BANKS) return fail("the verifier asked for too many PCR banks");
        TPMS_PCR_SELECTION& entry = list.pcrSelections[list.count++];
        entry.hash = TRY(algorithm_of(bank));
        entry.sizeofSelect = pcr_count / 8;
        for (const unsigned index : indices) {
            if (index >= pcr_count) return fail("the verifier asked for an unknown PCR");
            entry.pcrSelect[index / 8] = static_cast<BYTE>(entry.pcrSelect[index / 8] | 1U << index % 8);
        }
    }
    return list;
}

} // namespace

Outcome<Quote> Tpm::quote(const AttestationKey& ak, const PcrSelection& selection, ByteView qualifying_data) {
    const TPML_PCR_SELECTION list = TRY(to_tpm(selection));
    TPM2B_DATA qualifying{};
    if (qualifying_data.size() > sizeof qualifying.buffer) return fail("qualifying data is too long");
    qualifying.size = static_cast<UINT16>(qualifying_data.size());
    std::copy(qualifying_data.begin(), qualifying_data.end(), qualifying.buffer);
    const TPMT_SIG_SCHEME keys_own{.scheme = TPM2_ALG_NULL, .details = {}};
    TPM2B_ATTEST* raw_attest = nullptr;
    TPMT_SIGNATURE* raw_signature = nullptr;
    TRY(tpm_result(Esys_Quote(connection_->esys, ak.object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &qualifying,
                              &keys_own, &list, &raw_attest, &raw_signature),
                   "TPM2_Quote"));
    const Owned<TPM2B_ATTEST> attest{raw_attest};
    const Owned<TPMT_SIGNATURE> signature{raw_signature};
    return Quote{{attest->attestationData, attest->attestationData + attest->size},
                 TRY(marshalled(*signature, Tss2_MU_TPMT_SIGNATURE_Marshal))};
}

} // namespace casemate::agent
