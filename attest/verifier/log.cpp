// SPDX-License-Identifier: Apache-2.0
// See log.hpp.
#include "attest/verifier/log.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace casemate::verifier {
namespace {

std::atomic<LogLevel> least_level{LogLevel::info};

std::string utc_now() {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 48> date{};
    std::array<char, 64> text{};
    std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data(), text.size(), "%s.%03dZ", date.data(), static_cast<int>(millis));
    return text.data();
}

constexpr const char* name_of(LogLevel level) {
    switch (level) {
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
    }
    return "error";
}

} // namespace

void set_log_level(LogLevel least) { least_level = least; }

bool is_logged(LogLevel level) { return level >= least_level.load(); }

void log(LogLevel level, std::string_view event, const Json& fields) {
    if (!is_logged(level)) return;
    nlohmann::ordered_json line{{"time", utc_now()}, {"level", name_of(level)}, {"event", event}};
    for (const auto& [key, value] : fields.items()) line[key] = value;
    const std::string text = line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), stderr); // one call: lines of several threads do not mix
}

} // namespace casemate::verifier
