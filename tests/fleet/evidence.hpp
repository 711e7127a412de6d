// SPDX-License-Identifier: Apache-2.0
// Evidence as a fleet's platform sends it: the quote field by field, so that each can be bent, and the request's body.
#pragma once

#include "attest/evidence/tpm_structures.hpp"
#include "tests/fleet/launch_model.hpp"

namespace casemate::fleet {

struct Challenge {
    std::string id;
    Bytes nonce;
};

/// The fields of a TPMS_ATTEST of type quote [TPM2-P2 10.12.8].
struct QuoteFields {
    std::uint32_t magic = attest::TPM_GENERATED_VALUE;
    std::uint16_t type = attest::TPM_ST_ATTEST_QUOTE;
    Bytes qualifying_data;
    attest::TPMS_CLOCK_INFO clock;
    std::vector<attest::PcrSelection> selection;
};

inline constexpr std::uint32_t launch_pcr_mask = 0x7e0000; // PCR 17-22

/// The banks of LaunchModel::banks() with PCR 17-22 each.
[[nodiscard]] std::vector<attest::PcrSelection> whole_selection();
/// TPMS_ATTEST: the digest is of the selected PCRs of `pcrs`, as a TPM makes it; of banks that it has.
[[nodiscard]] Bytes encode(const QuoteFields& fields, const measure::LaunchPcrs& pcrs);

struct Evidence {
    std::string challenge_id;
    Bytes quote;
    Bytes signature;
    Bytes log;
    std::vector<Bytes> gates;
    std::vector<attest::LeaseReport> leases;
};

/// Log, gates and leases as the end of an evidence body: what stays the same from one challenge to the next.
[[nodiscard]] std::string encode_tail(ByteView log, const std::vector<Bytes>& gates, const std::vector<attest::LeaseReport>& leases);
/// The whole body of POST .../evidence.
[[nodiscard]] std::string encode_body(const std::string& challenge_id, ByteView quote, ByteView signature, const std::string& tail);
[[nodiscard]] std::string encode_body(const Evidence& evidence);

} // namespace casemate::fleet
