// SPDX-License-Identifier: Apache-2.0
// See record_reader.hpp.
#include "attest/txt/record_reader.hpp"

#include "attest/txt/event_type.hpp"

namespace casemate::txt {

namespace {

using measure::TPM_ALG_ID;

constexpr std::size_t header_start = 4 + 4 + 20 + 4; // of a TCG_PCClientPCREvent
constexpr std::uint8_t spec_id[] = {'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0', '3', 0};
constexpr std::uint8_t container[] = {'T', 'X', 'T', ' ', 'E', 'v', 'e', 'n', 't', ' ', 'C', 'o', 'n', 't', 'a', 'i', 'n', 'e', 'r'};
constexpr std::uint32_t last_pcr = 23;
constexpr std::size_t text_sample = 64;

bool starts_with(ByteView bytes, ByteView prefix) {
    return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

/// What txt-stat prints, for example.
bool is_text(ByteView log) {
    if (log.size() < text_sample) return false;
    for (const std::uint8_t byte : log.first(text_sample))
        if ((byte < 0x20 || byte > 0x7e) && byte != '\n' && byte != '\r' && byte != '\t') return false;
    return true;
}

/// What the file is instead of a crypto-agile log.
TxtReason what_else(ByteView log) {
    if (starts_with(log, container)) return TxtReason::log_tpm12;
    return is_text(log) ? TxtReason::log_text : TxtReason::log_header;
}

} // namespace

Result<RecordReader, Fault> RecordReader::open(ByteView log) {
    if (log.size() > max_log) return Failure{Fault{TxtReason::log_too_long, 0, 0}};
    RecordReader reader{log};
    const auto header = measure::read_agile_header(reader.rest_);
    if (!header) return Failure{Fault{what_else(log), 1, 0}};
    reader.header_ = *header;
    reader.number_ = 1;
    return reader;
}

RecordReader::RecordReader(ByteView log) : log_{log}, rest_{log}, end_{log.size()} {
    while (end_ != 0 && log[end_ - 1] == 0) --end_;
}

bool RecordReader::at_header() const {
    const ByteView left = log_.subspan(offset());
    return left.size() > header_start && starts_with(left.subspan(header_start), spec_id);
}

bool RecordReader::read_digests(std::uint32_t count, Record& record) {
    std::uint32_t seen = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint16_t id = rest_.u16();
        const std::size_t index = header_.index_of(id);
        if (!rest_.ok() || index == header_.algorithms.size() || (seen >> index & 1) != 0) return false;
        seen |= 1U << index;
        const ByteView value = rest_.bytes(header_.algorithms[index].size);
        const auto bank = static_cast<TPM_ALG_ID>(id);
        if (!rest_.ok() || measure::digest_size(bank) == 0) continue; // cut short, or an algorithm of others
        measure::Digest digest{bank, {}};
        std::memcpy(digest.storage.data(), value.data(), value.size());
        record.event.digests.add(digest);
    }
    return true;
}

Result<Record, Fault> RecordReader::next() {
    Record record{{}, ++number_, offset(), false, {}};
    const auto fault = [&](TxtReason reason) { return Failure{Fault{reason, record.number, record.offset}}; };
    if (number_ > max_records) return fault(TxtReason::record_count);
    if (at_header()) {
        const auto header = measure::read_agile_header(rest_);
        if (!header) return fault(TxtReason::log_header);
        header_ = *header;
        record.header = true;
        return record;
    }
    record.event.pcr = rest_.u32();
    record.event.type = rest_.u32();
    const std::uint32_t count = rest_.u32();
    if (!rest_.ok()) return fault(TxtReason::record_truncated);
    if (count > header_.algorithms.size() || !read_digests(count, record)) {
        return fault(rest_.ok() ? TxtReason::record_digests : TxtReason::record_truncated);
    }
    record.event.data = rest_.bytes(rest_.u32());
    if (!rest_.ok()) return fault(TxtReason::record_truncated);
    for (const TPM_ALG_ID bank : header_.banks)
        if (record.event.digests.find(bank) == nullptr) (void)record.missing.add(bank);
    return record;
}

bool names_no_pcr(const Record& record) { return record.event.pcr == 255 || record.event.pcr == 0xffffffff; }

bool is_extended(const Record& record) {
    return !record.header && record.event.pcr <= last_pcr && !attest::measures_nothing(record.event) && !is_marker_type(record.event.type);
}

} // namespace casemate::txt
