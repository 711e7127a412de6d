// SPDX-License-Identifier: Apache-2.0
// The firmware part of a reference set (docs/interfaces/policy.md), read as strictly as the rest. Owns what the appraiser's
// FirmwarePcrReference views. Called by LoadedReference only.
#pragma once

#include <vector>

#include "attest/appraise/reference.hpp"
#include "attest/verifier/json_place.hpp"

namespace casemate::verifier {

class FirmwareReference {
public:
    FirmwareReference() = default;
    FirmwareReference(const FirmwareReference&) = delete;
    FirmwareReference& operator=(const FirmwareReference&) = delete;

    /// `firmware`: an array, one item for each PCR. Once.
    [[nodiscard]] Status<ApiError> read(const JsonPlace& firmware);
    /// Valid as long as this.
    [[nodiscard]] std::span<const attest::FirmwarePcrReference> pcrs() const { return pcrs_; }

private:
    using Digests = std::vector<measure::Digest>;
    struct Pcr {
        Digests values;
        std::vector<Digests> events;
        std::vector<std::span<const measure::Digest>> event_views;
    };
    [[nodiscard]] Status<ApiError> read_pcr(const JsonPlace& item);
    [[nodiscard]] Status<ApiError> read_events(const JsonPlace& events, Pcr& pcr);

    std::vector<Pcr> owned_;
    std::vector<attest::FirmwarePcrReference> pcrs_;
};

} // namespace casemate::verifier
