// SPDX-License-Identifier: Apache-2.0
// The event log of the platform's firmware, crypto-agile form [TCG-PFP 10.2.2, 10.4.5.1], and what it says of PCR 0-7.
// UNTRUSTED throughout: whoever sends it may have written it. Every size is checked against what is left, and nothing but the
// digests of the measuring events counts, since only these are proved by a quote. Firmware writes other algorithms, classes and
// vendor data than our own log has, so the header is read here and not by measure::EventLogReader. Called by the appraiser.
#pragma once

#include "attest/appraise/reasons.hpp"
#include "dlaunch/measure/agile_header.hpp"
#include "dlaunch/measure/pcr_map.hpp"

namespace casemate::attest {

inline constexpr std::uint32_t firmware_pcr_count = 8; // PCR 0-7 [TCG-PFP 3.3.4]
inline constexpr std::size_t max_firmware_log = 512 * 1024;

struct FirmwareLogEvent {
    std::uint32_t pcr = 0; // 0-23; of an event that measures nothing also others
    std::uint32_t type = 0;
    measure::DigestSet digests; // of the algorithms that we know
    ByteView data;
};

enum class FirmwareLogError { malformed = 1 };

class FirmwareLogReader {
public:
    [[nodiscard]] static Result<FirmwareLogReader, FirmwareLogError> open(ByteView log);
    [[nodiscard]] bool at_end() const { return rest_.remaining() == 0; }
    /// Exactly one digest of every algorithm of the header, in any order.
    [[nodiscard]] Result<FirmwareLogEvent, FirmwareLogError> next();
    /// Those of the header that we know.
    [[nodiscard]] const measure::Banks& banks() const { return header_.banks; }

private:
    explicit FirmwareLogReader(ByteView log) : rest_{log} {}
    [[nodiscard]] bool read_digest(FirmwareLogEvent& event, std::uint32_t& seen);

    LittleEndianReader rest_;
    measure::AgileHeader header_;
};

/// PCR 0-7 of some banks after the events of a log.
class FirmwarePcrs {
public:
    explicit FirmwarePcrs(const measure::Banks& banks);
    [[nodiscard]] const measure::Digest& value(measure::TPM_ALG_ID bank, std::uint32_t pcr) const;
    /// False when a bank has no digest. The PCR must be 0-7.
    [[nodiscard]] bool extend(std::uint32_t pcr, const measure::DigestSet& digests);
    /// What TPM2_Startup at a higher locality leaves in PCR 0 [TPM2-P1 12.2.3.3]. False when PCR 0 is no longer fresh.
    [[nodiscard]] bool start_at(std::uint8_t locality);

private:
    [[nodiscard]] std::size_t index_of(measure::TPM_ALG_ID bank) const;

    measure::Banks banks_;
    std::array<std::array<measure::Digest, firmware_pcr_count>, measure::max_banks> values_{};
    bool fresh_ = true; // PCR 0
};

/// True when the event changes no PCR [TCG-PFP 10.4.1].
[[nodiscard]] bool measures_nothing(const FirmwareLogEvent& event);
/// The locality at which such an event says that the TPM was started. Nothing when it says none; 0xff when it is a broken one.
[[nodiscard]] std::optional<std::uint8_t> startup_locality(const FirmwareLogEvent& event);

/// The log replayed, in these banks. Nothing, and a reason, when it cannot be.
[[nodiscard]] std::optional<FirmwarePcrs> replay_firmware(ByteView log, const measure::Banks& banks, Reasons& reasons);

/// A log with its PCR values, which a quote has proved.
struct FirmwareReplay {
    ByteView log;
    FirmwarePcrs pcrs;
};

} // namespace casemate::attest
