// SPDX-License-Identifier: Apache-2.0
// What the virtual devices of a VM asked its host for, in order.
#pragma once

#include "hypervisor/devices/platform.hpp"

#include <string>
#include <vector>

namespace casemate::devices {

struct RecordingHost final : PlatformHost {
    std::vector<int> interrupts;
    std::vector<std::string> lines;
    std::vector<PowerRequest> requests;
    void post_interrupt(std::uint8_t vector) override { interrupts.push_back(vector); }
    void console_line(std::string_view line) override { lines.emplace_back(line); }
    void power(PowerRequest request) override { requests.push_back(request); }
    void ask_snapshot() override { ++snapshots; }
    int snapshots = 0;
};

} // namespace casemate::devices
