// SPDX-License-Identifier: Apache-2.0
// See firmware_log_copy.hpp. SAFETY: addresses are the firmware's word; whoever could lie there runs before us anyway.
#include "dlaunch/efi/firmware_log_copy.hpp"

#include <cstring>

namespace casemate::efi {

namespace {

EFI_GUID tcg2_guid = {0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};
constexpr EFI_GUID final_events_guid = {0x1e2ed096, 0x30e2, 0x4254, {0xbd, 0x89, 0x86, 0x3b, 0xbe, 0xf8, 0x23, 0x25}};
constexpr std::uint32_t crypto_agile = 2;         // EFI_TCG2_EVENT_LOG_FORMAT_TCG_2
constexpr std::size_t longest_event = 64 * 1024;  // how far behind the start of the last event is looked
constexpr std::size_t final_events_header = 16;   // version, number of events
constexpr std::uint64_t final_events_version = 1;

/// EFI_TCG2_PROTOCOL [TCG EFI Protocol 6.1], as far as it is used.
struct Tcg2 {
    void* get_capability;
    EFI_STATUS(EFIAPI* get_event_log)(Tcg2* self, UINT32 format, EFI_PHYSICAL_ADDRESS* location, EFI_PHYSICAL_ADDRESS* last_entry, BOOLEAN* truncated);
};

const std::uint8_t* at(EFI_PHYSICAL_ADDRESS address) { return reinterpret_cast<const std::uint8_t*>(address); }

} // namespace

bool FirmwareLogCopy::append(ByteView events) {
    if (events.size() > room_.size() - used_) return false;
    std::memcpy(room_.data() + used_, events.data(), events.size());
    used_ += events.size();
    return true;
}

void FirmwareLogCopy::find_final_events() {
    for (UINTN i = 0; i < system_->NumberOfTableEntries; ++i) {
        const EFI_CONFIGURATION_TABLE& table = system_->ConfigurationTable[i];
        if (std::memcmp(&table.VendorGuid, &final_events_guid, sizeof final_events_guid) == 0) final_events_ = static_cast<const std::uint8_t*>(table.VendorTable);
    }
    if (final_events_ == nullptr) return;
    LittleEndianReader in{{final_events_, final_events_header}};
    if (in.u64() == final_events_version) final_seen_ = in.u64();
    else final_events_ = nullptr;
}

void FirmwareLogCopy::begin() {
    void* found = nullptr;
    if (EFI_ERROR(system_->BootServices->LocateProtocol(&tcg2_guid, nullptr, &found))) return;
    auto* const tcg2 = static_cast<Tcg2*>(found);
    EFI_PHYSICAL_ADDRESS location = 0, last = 0;
    BOOLEAN truncated = 1;
    if (EFI_ERROR(tcg2->get_event_log(tcg2, crypto_agile, &location, &last, &truncated)) || truncated || location == 0 || last < location) return;
    if (last - location > room_.size()) return;
    LittleEndianReader log{{at(location), last - location + longest_event}};
    const std::size_t there = log.remaining();
    header_ = measure::read_agile_header(log);
    if (!header_) return;
    const auto last_size = last == location ? std::optional{there - log.remaining()} : header_->event_size({at(last), longest_event});
    if (!last_size || !append({at(location), last - location + *last_size})) return;
    find_final_events();
}

void FirmwareLogCopy::finish() {
    if (used_ == 0 || final_events_ == nullptr) return;
    LittleEndianReader in{{final_events_, final_events_header}};
    in.u64();
    const std::uint64_t count = in.u64();
    const ByteView events{final_events_ + final_events_header, room_.size()};
    const auto all = header_->events_size(events, count), seen = header_->events_size(events, final_seen_);
    if (count < final_seen_ || !all || !seen || !append(events.subspan(*seen, *all - *seen))) used_ = 0; // half a log would only look like tampering
}

} // namespace casemate::efi
