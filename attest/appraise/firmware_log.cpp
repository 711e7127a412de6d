// SPDX-License-Identifier: Apache-2.0
// See firmware_log.hpp.
#include "attest/appraise/firmware_log.hpp"

#include "dlaunch/measure/event_log.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate::attest {

namespace {

using measure::TPM_ALG_ID;

constexpr std::uint8_t startup_locality_signature[16] = "StartupLocality"; // [TCG-PFP 10.4.5.3]
constexpr std::uint32_t last_pcr = 23;

bool apply(const FirmwareLogEvent& event, FirmwarePcrs& pcrs) {
    if (measures_nothing(event)) {
        const std::optional<std::uint8_t> locality = startup_locality(event);
        return !locality || (*locality != 0xff && pcrs.start_at(*locality));
    }
    return event.pcr >= firmware_pcr_count || pcrs.extend(event.pcr, event.digests);
}

bool banks_there(const measure::Banks& log, const measure::Banks& wanted, Reasons& reasons) {
    for (const TPM_ALG_ID bank : wanted) {
        if (log.contains(bank)) continue;
        reasons.add(AppraisalError::firmware_log_banks, text_of(measure::name_of(bank)), text_of("in the firmware log"),
                    text_of("absent"));
        return false;
    }
    return true;
}

std::optional<FirmwarePcrs> malformed(Reasons& reasons, std::uint64_t event) {
    reasons.add(AppraisalError::firmware_log_malformed, text_of("firmware event"), {}, text_of(event));
    return std::nullopt;
}

} // namespace

Result<FirmwareLogReader, FirmwareLogError> FirmwareLogReader::open(ByteView log) {
    if (log.size() > max_firmware_log) return Failure{FirmwareLogError::malformed};
    FirmwareLogReader reader{log};
    const auto header = measure::read_agile_header(reader.rest_);
    if (!header) return Failure{FirmwareLogError::malformed};
    reader.header_ = *header;
    return reader;
}

bool FirmwareLogReader::read_digest(FirmwareLogEvent& event, std::uint32_t& seen) {
    const std::uint16_t id = rest_.u16();
    const std::size_t index = header_.index_of(id);
    if (!rest_.ok() || index == header_.algorithms.size() || (seen >> index & 1) != 0) return false;
    seen |= 1U << index;
    const ByteView value = rest_.bytes(header_.algorithms[index].size);
    if (!rest_.ok()) return false;
    const auto bank = static_cast<TPM_ALG_ID>(id);
    if (measure::digest_size(bank) == 0) return true; // an algorithm of others
    measure::Digest digest{bank, {}};
    std::memcpy(digest.storage.data(), value.data(), value.size());
    event.digests.add(digest);
    return true;
}

Result<FirmwareLogEvent, FirmwareLogError> FirmwareLogReader::next() {
    FirmwareLogEvent event;
    event.pcr = rest_.u32();
    event.type = rest_.u32();
    const std::uint32_t count = rest_.u32();
    if (!rest_.ok() || count != header_.algorithms.size()) return Failure{FirmwareLogError::malformed};
    if (event.pcr > last_pcr && !measures_nothing(event)) return Failure{FirmwareLogError::malformed};
    std::uint32_t seen = 0;
    for (std::uint32_t i = 0; i < count; ++i)
        if (!read_digest(event, seen)) return Failure{FirmwareLogError::malformed};
    event.data = rest_.bytes(rest_.u32());
    if (!rest_.ok()) return Failure{FirmwareLogError::malformed};
    return event;
}

FirmwarePcrs::FirmwarePcrs(const measure::Banks& banks) : banks_{banks} {
    for (std::size_t i = 0; i < banks_.size(); ++i)
        for (measure::Digest& pcr : values_[i]) pcr = measure::Digest::filled(banks_[i], 0);
}

std::size_t FirmwarePcrs::index_of(TPM_ALG_ID bank) const {
    std::size_t index = 0;
    while (index < banks_.size() && banks_[index] != bank) ++index;
    CHECK(index < banks_.size());
    return index;
}

const measure::Digest& FirmwarePcrs::value(TPM_ALG_ID bank, std::uint32_t pcr) const {
    CHECK(pcr < firmware_pcr_count);
    return values_[index_of(bank)][pcr];
}

bool FirmwarePcrs::extend(std::uint32_t pcr, const measure::DigestSet& digests) {
    CHECK(pcr < firmware_pcr_count);
    for (const TPM_ALG_ID bank : banks_)
        if (digests.find(bank) == nullptr) return false;
    if (pcr == 0) fresh_ = false;
    for (std::size_t i = 0; i < banks_.size(); ++i)
        values_[i][pcr] = measure::extended(values_[i][pcr], *digests.find(banks_[i]));
    return true;
}

bool FirmwarePcrs::start_at(std::uint8_t locality) {
    if (!fresh_) return false;
    fresh_ = false;
    for (std::size_t i = 0; i < banks_.size(); ++i) values_[i][0].span().back() = locality;
    return true;
}

bool measures_nothing(const FirmwareLogEvent& event) { return event.type == measure::EV_NO_ACTION; }

std::optional<std::uint8_t> startup_locality(const FirmwareLogEvent& event) {
    constexpr std::size_t signature_size = sizeof startup_locality_signature;
    if (event.data.size() < signature_size || !equal(event.data.first(signature_size), startup_locality_signature))
        return std::nullopt;
    const bool whole = event.pcr == 0 && event.data.size() == signature_size + 1;
    const std::uint8_t locality = whole ? event.data[signature_size] : std::uint8_t{0xff};
    return locality == 0 || locality == 3 || locality == 4 ? locality : std::uint8_t{0xff};
}

std::optional<FirmwarePcrs> replay_firmware(ByteView log, const measure::Banks& banks, Reasons& reasons) {
    auto reader = FirmwareLogReader::open(log);
    if (!reader.ok()) return malformed(reasons, 0);
    if (!banks_there(reader.value().banks(), banks, reasons)) return std::nullopt;
    FirmwarePcrs pcrs{banks};
    for (std::uint64_t number = 1; !reader.value().at_end(); ++number) {
        const auto event = reader.value().next();
        if (!event.ok() || !apply(event.value(), pcrs)) return malformed(reasons, number);
    }
    return pcrs;
}

} // namespace casemate::attest
