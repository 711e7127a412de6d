// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/watchdog.hpp"

#include <algorithm>

namespace casemate::devices {

void Watchdog::write_port(std::uint16_t port, unsigned, std::uint32_t value) {
    if (port == countdown_port) count_ = std::clamp(value, min_count, max_count);
    if (port != command_port) return;
    if (value == run || value == stop) running_ = value == run;
    begin_anew();
}

bool Watchdog::expired(std::uint64_t tsc, std::uint64_t tsc_khz) {
    if (!running_) return false;
    if (deadline_ == 0) deadline_ = tsc + std::uint64_t{count_} * count_ms * tsc_khz;
    return tsc >= deadline_;
}

} // namespace casemate::devices
