// SPDX-License-Identifier: Apache-2.0
// See event_log.hpp.
#include "dlaunch/measure/event_log.hpp"

namespace casemate::measure {

namespace {

// TCG_EfiSpecIDEvent [TCG-PFP 10.4.5.1], as the data of a TCG_PCClientPCREvent with a SHA-1 field of zeros.
constexpr std::uint8_t spec_id_signature[16] = "Spec ID Event03";
constexpr std::uint8_t uintn_size_64 = 2;
constexpr std::size_t old_digest_size = 20;

constexpr std::size_t spec_id_size(std::size_t banks) { return 16 + 4 + 4 + 4 + banks * 4 + 1; }

std::size_t event_size(const Banks& banks, std::size_t data_size) {
    std::size_t size = 4 + 4 + 4 + 4 + data_size;
    for (const TPM_ALG_ID bank : banks) size += 2 + digest_size(bank);
    return size;
}

void write_header(LittleEndianWriter& out, const Banks& banks) {
    out.u32(0); // pcrIndex
    out.u32(EV_NO_ACTION);
    const std::uint8_t no_digest[old_digest_size] = {};
    out.bytes(no_digest);
    out.u32(static_cast<std::uint32_t>(spec_id_size(banks.size())));
    out.bytes(spec_id_signature);
    out.u32(0); // platformClass: client
    out.u8(0);  // specVersionMinor
    out.u8(2);  // specVersionMajor
    out.u8(0);  // specErrata
    out.u8(uintn_size_64);
    out.u32(static_cast<std::uint32_t>(banks.size()));
    for (const TPM_ALG_ID bank : banks) {
        out.u16(static_cast<std::uint16_t>(bank));
        out.u16(static_cast<std::uint16_t>(digest_size(bank)));
    }
    out.u8(0); // vendorInfoSize
}

} // namespace

Result<EventLogReader, EventLogError> EventLogReader::open(ByteView log) {
    if (log.size() > max_log_size) return Failure{EventLogError::log_too_long};
    EventLogReader reader{log};
    TRY(reader.read_header());
    return reader;
}

/// Accepts exactly what write_header() writes: there is one header for a list of banks.
Status<EventLogError> EventLogReader::read_header() {
    LittleEndianReader ahead = rest_;
    ahead.bytes(4 + 4 + old_digest_size + 4 + 16 + 4 + 4);
    const std::uint32_t count = ahead.u32();
    if (!ahead.ok() || count == 0 || count > max_banks) return Failure{EventLogError::header};
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto bank = static_cast<TPM_ALG_ID>(ahead.u16());
        ahead.u16(); // size: compared below
        if (!ahead.ok() || !banks_.add(bank)) return Failure{EventLogError::header};
    }
    std::array<std::uint8_t, 32 + spec_id_size(max_banks)> buffer;
    LittleEndianWriter expected{buffer};
    write_header(expected, banks_);
    if (!equal(rest_.bytes(expected.size()), expected.written())) return Failure{EventLogError::header};
    return Done{};
}

Result<LogEvent, EventLogError> EventLogReader::next() {
    LogEvent event;
    TRY(next(event));
    return event;
}

Status<EventLogError> EventLogReader::next(LogEvent& event) {
    event.digests.clear();
    event.pcr = rest_.u32();
    event.type = rest_.u32();
    const std::uint32_t count = rest_.u32();
    if (!rest_.ok()) return Failure{EventLogError::truncated};
    if (count != banks_.size()) return Failure{EventLogError::digests};
    for (const TPM_ALG_ID bank : banks_) {
        const std::uint16_t algorithm = rest_.u16();
        if (rest_.ok() && algorithm != static_cast<std::uint16_t>(bank)) return Failure{EventLogError::digests};
        const ByteView value = rest_.bytes(digest_size(bank));
        if (!rest_.ok()) return Failure{EventLogError::truncated};
        std::memcpy(event.digests.add(bank).data(), value.data(), value.size());
    }
    const std::uint32_t size = rest_.u32();
    if (rest_.ok() && size > max_event_data) return Failure{EventLogError::event_too_long};
    event.data = rest_.bytes(size);
    if (!rest_.ok()) return Failure{EventLogError::truncated};
    return Done{};
}

Result<EventLogWriter, EventLogError> EventLogWriter::create(ByteSpan buffer, const Banks& banks) {
    LittleEndianWriter out{buffer};
    write_header(out, banks);
    if (!out.ok()) return Failure{EventLogError::full};
    return EventLogWriter{buffer, out.size(), banks};
}

Result<EventLogWriter, EventLogError> EventLogWriter::resume(ByteSpan buffer, std::size_t used) {
    if (used > buffer.size()) return Failure{EventLogError::truncated};
    EventLogReader reader = TRY(EventLogReader::open(buffer.first(used)));
    while (!reader.at_end()) TRY(reader.next());
    return EventLogWriter{buffer, used, reader.banks()};
}

bool EventLogWriter::fits(std::size_t data_size) const {
    return data_size <= max_event_data && event_size(banks_, data_size) <= buffer_.size() - used_ &&
           used_ + event_size(banks_, data_size) <= max_log_size;
}

Status<EventLogError> EventLogWriter::append(std::uint32_t pcr, const DigestSet& digests, ByteView data) {
    if (data.size() > max_event_data) return Failure{EventLogError::event_too_long};
    if (!fits(data.size())) return Failure{EventLogError::full};
    for (const TPM_ALG_ID bank : banks_) {
        if (digests.find(bank) == nullptr) return Failure{EventLogError::digests};
    }
    LittleEndianWriter out{buffer_.subspan(used_)};
    out.u32(pcr);
    out.u32(EV_EVENT_TAG);
    out.u32(static_cast<std::uint32_t>(banks_.size()));
    for (const TPM_ALG_ID bank : banks_) {
        out.u16(static_cast<std::uint16_t>(bank));
        out.bytes(digests.find(bank)->view());
    }
    out.u32(static_cast<std::uint32_t>(data.size()));
    out.bytes(data);
    used_ += out.size();
    return Done{};
}

} // namespace casemate::measure
