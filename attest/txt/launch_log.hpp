// SPDX-License-Identifier: Apache-2.0
// A log as a whole: its records as far as they can be read, and what it says of itself. Nothing here is proved.
#pragma once

#include "attest/txt/finding.hpp"
#include "attest/txt/grammar.hpp"

namespace casemate::txt {

struct LaunchLog {
    std::vector<Record> records; // views into the file
    measure::Banks banks;        // of all its headers
    std::optional<Fault> fault;  // what ended the reading
    PcrMap map = PcrMap::details_authorities;
    bool launched = false;       // a record extends PCR 17-22
    bool firmware = false;       // a record extends PCR 0-7
    bool trenchboot = false;
    bool tboot = false;
};

[[nodiscard]] LaunchLog read_launch_log(ByteView file);

/// Into `findings`: what is wrong with the form of the log, record by record, and what it leaves open.
void check_log(const LaunchLog& log, Findings& findings);

/// "PCR 17, HASH_START"; of a type that is not known its number.
[[nodiscard]] std::string title_of(const Record& record);
[[nodiscard]] std::string type_name(std::uint32_t type);

/// What a record of PCR 17-22 is, in words; `ordinal`: how many tboot records the same PCR had before.
[[nodiscard]] std::string words_of(const LaunchLog& log, const Record& record, std::size_t ordinal);

} // namespace casemate::txt
