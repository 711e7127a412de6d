// SPDX-License-Identifier: Apache-2.0
// See launch_log.hpp: records in words.
#include "attest/txt/event_type.hpp"
#include "attest/txt/launch_log.hpp"
#include "attest/txt/tboot.hpp"

#include <cstdio>

namespace casemate::txt {

namespace {

std::string tboot_words(const LaunchLog& log, const Record& record, std::size_t ordinal) {
    const bool policy = ordinal == 0 && (record.event.pcr == 17 || (record.event.pcr == 18 && log.map == PcrMap::details_authorities));
    if (policy) return is_default_policy(record.event.digests) ? "tboot's policy: the built-in one" : "tboot's policy: not a built-in one";
    if (log.map == PcrMap::details_authorities && record.event.pcr == 17)
        return "module " + std::to_string(ordinal - 1) + " that tboot was given, with its command line";
    if (log.map == PcrMap::legacy && record.event.pcr == 18)
        return "module " + std::to_string(ordinal) + " that tboot was given, with its command line";
    return "a module or an NV index, as tboot's policy says";
}

std::string control_word(const Record& record) {
    if (record.event.data.size() != 4) return {};
    LittleEndianReader reader{record.event.data};
    char text[16];
    std::snprintf(text, sizeof text, ": 0x%x", reader.u32());
    return text;
}

} // namespace

std::string type_name(std::uint32_t type) {
    if (const EventType* known = event_type(type)) return known->name;
    char text[16];
    std::snprintf(text, sizeof text, "0x%x", type);
    return text;
}

std::string title_of(const Record& record) {
    if (record.header) return "header";
    return (names_no_pcr(record) ? "no PCR" : "PCR " + std::to_string(record.event.pcr)) + ", " + type_name(record.event.type);
}

std::string words_of(const LaunchLog& log, const Record& record, std::size_t ordinal) {
    if (record.header) return "the header of a further log";
    if (attest::measures_nothing(record.event)) return "a remark of the log";
    const EventType* known = event_type(record.event.type);
    if (known == nullptr) return measure::is_launch_pcr(record.event.pcr) ? "no known event of a launch" : "firmware's";
    if (known->type == EVTYPE_TBOOT_MEASUREMENT) return tboot_words(log, record, ordinal);
    return known->words + control_word(record);
}

} // namespace casemate::txt
