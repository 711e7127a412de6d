// SPDX-License-Identifier: Apache-2.0
// See launch_log.hpp.
#include "attest/txt/launch_log.hpp"

#include "attest/txt/event_type.hpp"

namespace casemate::txt {

namespace {

constexpr std::uint32_t last_firmware_pcr = 7;

bool in_launch(const Record& record) { return is_extended(record) && measure::is_launch_pcr(record.event.pcr); }

/// Where the MLE's own digest lies tells the map; the remark of the log only where it does not say so.
PcrMap map_of(const std::vector<Record>& records) {
    for (const Record& record : records)
        if (in_launch(record) && record.event.type == EVTYPE_MLE_HASH)
            return record.event.pcr == 18 ? PcrMap::legacy : PcrMap::details_authorities;
    return PcrMap::details_authorities;
}

void note(LaunchLog& log, const Record& record) {
    const std::uint32_t type = record.event.type;
    log.launched = log.launched || in_launch(record);
    log.firmware = log.firmware || (is_extended(record) && record.event.pcr <= last_firmware_pcr);
    log.tboot = log.tboot || type == EVTYPE_TBOOT_MEASUREMENT;
    log.trenchboot = log.trenchboot || (type >= TXT_EVTYPE_SLAUNCH && type <= TXT_EVTYPE_SLAUNCH_END);
}

} // namespace

LaunchLog read_launch_log(ByteView file) {
    LaunchLog log;
    auto opened = RecordReader::open(file);
    if (!opened) {
        log.fault = opened.error();
        return log;
    }
    RecordReader& reader = opened.value();
    log.banks = reader.banks();
    while (!reader.at_end()) {
        auto record = reader.next();
        if (!record) {
            log.fault = record.error();
            break;
        }
        if (record.value().header)
            for (const measure::TPM_ALG_ID bank : reader.banks()) (void)log.banks.add(bank); // one may be there already
        note(log, record.value());
        log.records.push_back(record.value());
    }
    log.map = map_of(log.records);
    return log;
}

} // namespace casemate::txt
