// SPDX-License-Identifier: Apache-2.0
// What an owner has to know of a platform's TPM to seal secrets to it without it (docs/interfaces/platform-directory.md).
#pragma once

#include "attest/owner/platform_directory.hpp"
#include "attest/secret/owner_tpm.hpp"

#include <cstdint>

namespace casemate::owner {

using secret::Bytes;

struct PlatformRecord {
    std::uint32_t endorsement_key = 0x81010001; // persistent handle
    Bytes modulus;                              // of that key, RSA 2048
    Bytes ek_certificate;                       // DER; empty: the manufacturer gave none
    std::uint32_t epoch_counter = secret::epoch_counter_index;
    std::uint64_t epoch = 0; // the counter's value as it was last seen

    /// SHA-256 of the endorsement key's TPMT_PUBLIC, in hexadecimal: what every message of the attestation calls the platform.
    [[nodiscard]] std::string platform_id() const;
};

/// Fails when there is none ("provision it first"), or when it is not what write_record() writes.
[[nodiscard]] Outcome<PlatformRecord> read_record(const PlatformDirectory& directory);
[[nodiscard]] std::string text_of(const PlatformRecord& record);
Status<Error> write_record(const PlatformDirectory& directory, const PlatformRecord& record);

} // namespace casemate::owner
