// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/launch_ledger.hpp"

#include "hypervisor/core/log.hpp"

#include <algorithm>

namespace casemate::core {

namespace {

/// At least the fixed fields of an event and one digest of each known bank [TCG-PFP 10.2.2].
constexpr std::size_t event_overhead = 16 + measure::max_banks * (2 + measure::max_digest_size);

} // namespace

std::optional<LaunchLedger> LaunchLedger::resume(const launch::BootInfo& boot, TpmService& tpm) {
    // SAFETY: the SLB placed the log in TCB memory, which is mapped at its own address.
    const ByteSpan buffer{reinterpret_cast<std::uint8_t*>(boot.log.base), boot.log.size};
    auto writer = measure::EventLogWriter::resume(buffer, boot.log_used);
    if (!writer.ok() || writer.value().banks().size() != boot.tpm_bank_count) return {};
    for (const measure::TPM_ALG_ID bank : writer.value().banks())
        if (std::ranges::find(boot.tpm_banks, static_cast<std::uint16_t>(bank)) == std::end(boot.tpm_banks))
            return {};
    return LaunchLedger{writer.value(), std::min(boot.log.size, measure::max_log_size), tpm};
}

bool LaunchLedger::has_room(std::size_t entries, std::size_t data_size) const {
    return !broken_ && entries <= (capacity_ - log_.log().size()) / (data_size + event_overhead);
}

bool LaunchLedger::append(measure::LedgerEntry entry, std::uint64_t time_ms) {
    if (broken_) return false;
    last_time_ms_ = std::max(last_time_ms_, time_ms);
    entry.sequence = next_sequence_;
    entry.time_ms = last_time_ms_;
    std::array<std::uint8_t, measure::max_ledger_event> buffer;
    const ByteView data = measure::encode(buffer, entry);
    const measure::DigestSet digests = measure::hash_all(log_.banks(), data);
    const bool logged = !data.empty() && log_.append(measure::pcr_custody, digests, data).ok();
    broken_ = !logged || !tpm_->extend(measure::pcr_custody, digests).ok();
    if (broken_) {
        LogLine{"@cm event=ledger_broken"}.key("logged", logged).key("sequence", next_sequence_);
        return false;
    }
    ++next_sequence_;
    return true;
}

} // namespace casemate::core
