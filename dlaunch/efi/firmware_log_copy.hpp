// SPDX-License-Identifier: Apache-2.0
// A copy of what the firmware measured into PCR 0-7: its log until the launcher asked for it, and what it measured on the way out of boot services
// [TCG EFI Protocol 6.2, 7]. For the verifier, through hypervisor and agent, which only carry it. Without TCG2, or with a log that is not whole,
// there is no copy, and the launch goes on: who wants PCR 0-7 proved will say that the log is missing.
#pragma once

#include "dlaunch/efi/uefi.hpp"
#include "dlaunch/measure/agile_header.hpp"

namespace casemate::efi {

class FirmwareLogCopy {
public:
    FirmwareLogCopy(EFI_SYSTEM_TABLE* system, ByteSpan room) : system_{system}, room_{room} {}

    /// While boot services are there.
    void begin();
    /// When they were left.
    void finish();
    /// Empty when there is no whole log.
    [[nodiscard]] ByteView bytes() const { return room_.first(used_); }

private:
    bool append(ByteView events);
    void find_final_events();

    EFI_SYSTEM_TABLE* system_;
    ByteSpan room_;
    std::size_t used_ = 0;
    std::optional<measure::AgileHeader> header_;
    const std::uint8_t* final_events_ = nullptr; // EFI_TCG2_FINAL_EVENTS_TABLE
    std::uint64_t final_seen_ = 0;               // events of it that are in the log already
};

} // namespace casemate::efi
