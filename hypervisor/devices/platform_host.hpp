// SPDX-License-Identifier: Apache-2.0
// What the virtual devices ask of the VM they belong to. core::Vm implements it; unit tests record it.
#pragma once

#include <cstdint>
#include <string_view>

namespace casemate::devices {

enum class PowerRequest : std::uint8_t { power_off, reset };

class PlatformHost {
public:
    /// A fixed interrupt of this vector (16..255) for the VM's processor.
    virtual void post_interrupt(std::uint8_t vector) = 0;
    /// One line of the VM's console, without its end.
    virtual void console_line(std::string_view line) = 0;
    virtual void power(PowerRequest request) = 0;
    /// Wants a snapshot of itself as it stands after this instruction.
    virtual void ask_snapshot() {}

protected:
    ~PlatformHost() = default;
};

} // namespace casemate::devices
