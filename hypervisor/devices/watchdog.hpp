// SPDX-License-Identifier: Apache-2.0
// The watchdog timer that the ACPI table WDAT describes [WDAT, "Hardware Watchdog Timers Design Specification"]: a guest
// that has started it and then falls silent is hung. Who never starts it is never hung.
// Values written are UNTRUSTED: any command is good, any countdown is brought into its range.
#pragma once

#include "hypervisor/devices/io_bus.hpp"

#include <cstdint>

namespace casemate::devices {

class Watchdog final : public PortDevice {
public:
    static constexpr std::uint16_t first_port = 0x608, port_count = 8;
    static constexpr std::uint16_t countdown_port = first_port, command_port = first_port + 4;
    enum Command : std::uint32_t { restart = 1, run = 2, stop = 3 };
    static constexpr std::uint32_t count_ms = 100, min_count = 10, max_count = 36'000;

    void reset() { *this = {}; }
    /// A countdown that runs begins anew.
    void begin_anew() { deadline_ = 0; }
    std::uint32_t read_port(std::uint16_t, unsigned) override { return ~0u; } // as if nobody were there
    void write_port(std::uint16_t port, unsigned width, std::uint32_t value) override;

    /// True once it has run out. To be asked now and then while the guest runs: a countdown begins when this is asked next.
    [[nodiscard]] bool expired(std::uint64_t tsc, std::uint64_t tsc_khz);

private:
    std::uint32_t count_ = max_count;
    bool running_ = false;
    std::uint64_t deadline_ = 0; // TSC; 0: begin anew
};

} // namespace casemate::devices
