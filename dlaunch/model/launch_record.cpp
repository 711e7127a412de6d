// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/launch_record.hpp"

#include <ctime>
#include <nlohmann/json.hpp>

namespace casemate::model {
namespace {

std::string hex(std::uint64_t value) {
    char text[19];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

} // namespace

const char* name_of(LaunchResult result) {
    switch (result) {
    case LaunchResult::launched: return "launched";
    case LaunchResult::unmeasured: return "unmeasured";
    case LaunchResult::undefined_opcode: return "#UD";
    case LaunchResult::general_protection: return "#GP";
    }
    return "unknown";
}

std::string to_json(const LaunchRecord& record) {
    const nlohmann::ordered_json line{
        {"time", utc_now()},
        {"result", name_of(record.result)},
        {"reason", record.reason},
        {"thread", record.thread},
        {"rip", hex(record.instruction)},
        {"eax", hex(record.processor.rax & 0xffffffff)},
        {"cs", hex(record.processor.cs)},
        {"cr0", hex(record.processor.cr0)},
        {"efer", hex(record.processor.efer)},
        {"running_processors", record.processor.running_processors},
        {"slb_base", hex(record.loader.base)},
        {"slb_entry", hex(record.loader.entry)},
        {"slb_length", record.loader.length},
        {"sha256", record.sha256},
        {"stopped_us", record.microseconds},
    };
    return line.dump();
}

} // namespace casemate::model
