// SPDX-License-Identifier: Apache-2.0
// See firmware_match.hpp.
#include "attest/appraise/firmware_match.hpp"

namespace casemate::attest {

namespace {

using measure::Digest;
using measure::TPM_ALG_ID;
using Difference = std::optional<FirmwareDifference>;

/// "PCR 4", "PCR 4 event 3".
ReasonText place_of(std::uint32_t pcr, std::size_t event = 0) {
    char buffer[48];
    std::size_t size = 0;
    const auto put = [&](std::string_view part) {
        for (const char letter : part) buffer[size++] = letter;
    };
    put("firmware PCR ");
    put(text_of(std::uint64_t{pcr}).view());
    if (event != 0) {
        put(" event ");
        put(text_of(std::uint64_t{event}).view());
    }
    return text_of(std::string_view{buffer, size});
}

const Digest* first_of(std::span<const Digest> accepted, TPM_ALG_ID bank) {
    for (const Digest& each : accepted)
        if (each.algorithm == bank) return &each;
    return nullptr;
}

bool contains(std::span<const Digest> accepted, const Digest& seen) {
    for (const Digest& each : accepted)
        if (each == seen) return true;
    return false;
}

Difference compare(std::span<const Digest> accepted, const Digest& seen, const ReasonText& place) {
    const Digest* example = first_of(accepted, seen.algorithm);
    if (example == nullptr)
        return FirmwareDifference{AppraisalError::reference_bank, place, text_of(measure::name_of(seen.algorithm)), {}};
    if (contains(accepted, seen)) return std::nullopt;
    return FirmwareDifference{AppraisalError::firmware_differs, place, hex_of(example->view()), hex_of(seen.view())};
}

/// One event of the log against its reference, in every quoted bank.
Difference compare_event(const FirmwarePcrReference& reference, std::size_t number, const measure::DigestSet& seen,
                         const measure::Banks& banks) {
    const ReasonText place = place_of(reference.pcr, number);
    const Digest* first = seen.find(banks[0]);
    if (number > reference.events.size())
        return FirmwareDifference{AppraisalError::firmware_differs, place, text_of("no further event"),
                                  first != nullptr ? hex_of(first->view()) : ReasonText{}};
    for (const TPM_ALG_ID bank : banks) {
        const Digest* digest = seen.find(bank);
        if (digest == nullptr) return FirmwareDifference{AppraisalError::firmware_log_banks, place, text_of(measure::name_of(bank)), {}};
        if (Difference difference = compare(reference.events[number - 1], *digest, place)) return difference;
    }
    return std::nullopt;
}

Difference compare_events(const FirmwarePcrReference& reference, const FirmwareReplay& replay, const measure::Banks& banks) {
    std::size_t number = 0;
    auto reader = FirmwareLogReader::open(replay.log);
    while (reader.ok() && !reader.value().at_end()) {
        const auto event = reader.value().next();
        if (!event.ok()) break;
        if (event.value().pcr != reference.pcr || measures_nothing(event.value())) continue;
        if (Difference difference = compare_event(reference, ++number, event.value().digests, banks)) return difference;
    }
    if (number == reference.events.size()) return std::nullopt;
    const Digest* missing = first_of(reference.events[number], banks[0]);
    return FirmwareDifference{AppraisalError::firmware_differs, place_of(reference.pcr, number + 1),
                              missing != nullptr ? hex_of(missing->view()) : ReasonText{}, text_of("absent")};
}

} // namespace

std::optional<FirmwareDifference> compare_firmware(const FirmwarePcrReference& reference, const FirmwareReplay& replay,
                                                   const measure::Banks& banks) {
    if (!reference.events.empty())
        if (Difference difference = compare_events(reference, replay, banks)) return difference; // it explains better
    if (reference.values.empty()) return std::nullopt;
    for (const TPM_ALG_ID bank : banks)
        if (Difference difference = compare(reference.values, replay.pcrs.value(bank, reference.pcr), place_of(reference.pcr)))
            return difference;
    return std::nullopt;
}

} // namespace casemate::attest
