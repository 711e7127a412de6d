// SPDX-License-Identifier: Apache-2.0
// The TCG crypto-agile event log [TCG-PFP 10.2]: a bounded writer and a strict reader. Little-endian.
// Invariant of the writer: the buffer holds whole events only, each with one digest for every bank; a full buffer
// refuses the event and stays as it was. Writers: the SLB creates the log, the hypervisor continues it.
// Readers: predictor and verifier. UNTRUSTED for a reader: everything; and replay covers PCR and digests only, so
// the caller must check type, data and position (appraise) before it believes an event.
#pragma once

#include "dlaunch/measure/digest.hpp"
#include "hypervisor/base/result.hpp"

namespace casemate::measure {

/// Event types [TCG-PFP 10.4.1].
inline constexpr std::uint32_t EV_NO_ACTION = 3;
inline constexpr std::uint32_t EV_EVENT_TAG = 6;

inline constexpr std::size_t max_event_data = 4096;
inline constexpr std::size_t max_log_size = 1024 * 1024;

enum class EventLogError : std::uint8_t {
    full = 1,       // no room left in the buffer
    header,         // the first record is not a Spec-ID event, or names banks that we do not know
    truncated,      // the log ends within a record
    digests,        // a record does not carry one digest for each bank in the header's order
    event_too_long, // more than max_event_data
    log_too_long,   // more than max_log_size
};

/// TCG_PCR_EVENT2.
struct LogEvent {
    std::uint32_t pcr = 0;
    std::uint32_t type = 0;
    DigestSet digests;
    ByteView data;
};

class EventLogReader {
public:
    [[nodiscard]] static Result<EventLogReader, EventLogError> open(ByteView log);

    /// The banks of the header: every event has a digest for each.
    [[nodiscard]] const Banks& banks() const { return banks_; }
    [[nodiscard]] bool at_end() const { return rest_.remaining() == 0; }
    /// Only when not at_end(). Views into the log.
    [[nodiscard]] Result<LogEvent, EventLogError> next();
    /// The same into an event that is there already; what it had is gone.
    [[nodiscard]] Status<EventLogError> next(LogEvent& event);

private:
    explicit EventLogReader(ByteView log) : rest_{log} {}
    Status<EventLogError> read_header();

    LittleEndianReader rest_;
    Banks banks_;
};

class EventLogWriter {
public:
    /// Starts a log with its Spec-ID event. The buffer must outlive the writer.
    [[nodiscard]] static Result<EventLogWriter, EventLogError> create(ByteSpan buffer, const Banks& banks);
    /// Continues the log in the first `used` bytes; it is read through once.
    [[nodiscard]] static Result<EventLogWriter, EventLogError> resume(ByteSpan buffer, std::size_t used);

    [[nodiscard]] const Banks& banks() const { return banks_; }
    [[nodiscard]] ByteView log() const { return buffer_.first(used_); }
    /// Whether an event with this much data would fit: ask before an action that must be logged.
    [[nodiscard]] bool fits(std::size_t data_size) const;
    /// Appends one EV_EVENT_TAG event; `digests` holds one for each bank.
    [[nodiscard]] Status<EventLogError> append(std::uint32_t pcr, const DigestSet& digests, ByteView data);

private:
    EventLogWriter(ByteSpan buffer, std::size_t used, const Banks& banks)
        : buffer_{buffer}, used_{used}, banks_{banks} {}

    ByteSpan buffer_;
    std::size_t used_;
    Banks banks_;
};

} // namespace casemate::measure
