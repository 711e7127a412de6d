// SPDX-License-Identifier: Apache-2.0
// The records of a TXT launch's crypto-agile log, one by one, with their place in the file. UNTRUSTED: every byte.
// Other than firmware's log this one may have records with fewer digests than the header declares (tboot measures into one bank),
// a second header where two logs lie behind each other, and zeros behind the last record (the buffer that it was copied from).
// Bounded: size, records, digests. Nothing is skipped: what is not understood ends the reading with a reason and a place.
#pragma once

#include "attest/appraise/firmware_log.hpp"
#include "attest/txt/reason.hpp"

namespace casemate::txt {

inline constexpr std::size_t max_log = 512 * 1024;
inline constexpr std::uint32_t max_records = 4096;

struct Record {
    attest::FirmwareLogEvent event;
    std::uint32_t number = 0; // from 1: the header
    std::size_t offset = 0;
    bool header = false;       // a further header: nothing else in this record
    measure::Banks missing{};  // banks of the header that the record has no digest for
};

struct Fault {
    TxtReason reason{};
    std::uint32_t number = 0;
    std::size_t offset = 0;
};

class RecordReader {
public:
    [[nodiscard]] static Result<RecordReader, Fault> open(ByteView log);
    /// Nothing but zeros is left.
    [[nodiscard]] bool at_end() const { return offset() >= end_; }
    [[nodiscard]] Result<Record, Fault> next();
    /// Known banks of the header that is in force.
    [[nodiscard]] const measure::Banks& banks() const { return header_.banks; }

private:
    explicit RecordReader(ByteView log);
    [[nodiscard]] bool at_header() const;
    [[nodiscard]] bool read_digests(std::uint32_t count, Record& record);
    [[nodiscard]] std::size_t offset() const { return log_.size() - rest_.remaining(); }

    ByteView log_;
    LittleEndianReader rest_;
    std::size_t end_; // behind the last byte that is not zero
    measure::AgileHeader header_;
    std::uint32_t number_ = 0;
};

/// PCR index 255 or 0xffffffff: a remark.
[[nodiscard]] bool names_no_pcr(const Record& record);
/// The record changes a PCR: it names one, and is no remark.
[[nodiscard]] bool is_extended(const Record& record);

} // namespace casemate::txt
