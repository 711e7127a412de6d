// SPDX-License-Identifier: Apache-2.0
// See firmware_reference.hpp.
#include "attest/verifier/firmware_reference.hpp"

#include "attest/appraise/firmware_log.hpp"

namespace casemate::verifier {
namespace {

using measure::TPM_ALG_ID;

constexpr std::size_t max_events = 1024;      // of one PCR
constexpr std::size_t max_alternatives = 64;  // of one bank
constexpr TPM_ALG_ID known_banks[] = {TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512};

Result<std::size_t, ApiError> size_of_list(const JsonPlace& list, std::size_t limit) {
    const std::size_t size = list.value().is_array() ? list.value().size() : 0;
    if (size == 0 || size > limit) return list.wrong("must be a list of 1 to " + std::to_string(limit) + " items");
    return size;
}

Status<ApiError> read_bank(const JsonPlace& list, TPM_ALG_ID bank, std::vector<measure::Digest>& out) {
    const std::size_t count = TRY(size_of_list(list, max_alternatives));
    for (std::size_t i = 0; i < count; ++i) {
        measure::Digest digest{bank, {}};
        const Bytes bytes = TRY(list.item(i).hex(digest.size()));
        std::copy(bytes.begin(), bytes.end(), digest.span().begin());
        out.push_back(digest);
    }
    return Done{};
}

/// `{"sha256": [hex, ...], ...}`: any of them is accepted. sha256 must be there.
Status<ApiError> read_alternatives(const JsonPlace& object, std::vector<measure::Digest>& out) {
    TRY(object.only({"sha256", "sha384", "sha512"}));
    (void)TRY(object.member("sha256"));
    for (const TPM_ALG_ID bank : known_banks) {
        if (!object.has(measure::name_of(bank))) continue;
        const JsonPlace list = TRY(object.member(measure::name_of(bank)));
        TRY(read_bank(list, bank, out));
    }
    return Done{};
}

} // namespace

Status<ApiError> FirmwareReference::read(const JsonPlace& firmware) {
    const std::size_t count = TRY(size_of_list(firmware, attest::firmware_pcr_count));
    owned_.reserve(count); // viewed: must not move
    for (std::size_t i = 0; i < count; ++i) TRY(read_pcr(firmware.item(i)));
    return Done{};
}

Status<ApiError> FirmwareReference::read_pcr(const JsonPlace& item) {
    TRY(item.only({"pcr", "values", "events"}));
    const JsonPlace place = TRY(item.member("pcr"));
    const std::uint64_t number = TRY(place.number());
    const bool ascending = pcrs_.empty() || number > pcrs_.back().pcr;
    if (number >= attest::firmware_pcr_count || !ascending) return place.wrong("must be 0 to 7, each once and in ascending order");
    if (!item.has("values") && !item.has("events")) return item.wrong("must have \"values\" or \"events\", or both");
    Pcr& pcr = owned_.emplace_back();
    if (item.has("values")) {
        const JsonPlace values = TRY(item.member("values"));
        TRY(read_alternatives(values, pcr.values));
    }
    if (item.has("events")) {
        const JsonPlace events = TRY(item.member("events"));
        TRY(read_events(events, pcr));
    }
    pcrs_.push_back({static_cast<std::uint32_t>(number), pcr.values, pcr.event_views});
    return Done{};
}

Status<ApiError> FirmwareReference::read_events(const JsonPlace& events, Pcr& pcr) {
    const std::size_t count = TRY(size_of_list(events, max_events));
    pcr.events.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        TRY(read_alternatives(events.item(i), pcr.events[i]));
        pcr.event_views.emplace_back(pcr.events[i]);
    }
    return Done{};
}

} // namespace casemate::verifier
