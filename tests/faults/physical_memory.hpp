// SPDX-License-Identifier: Apache-2.0
// Physical memory of the emulated machine, read from outside: what a device really reached, whatever anybody says.
#pragma once

#include "dlaunch/session/session.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace casemate::faults {

/// The machine stands still while this lives: nobody reads its console meanwhile, and its clock does not run on.
class Standstill {
public:
    explicit Standstill(session::Session& session);
    ~Standstill();
    Standstill(const Standstill&) = delete;
    Standstill& operator=(const Standstill&) = delete;

private:
    session::Session& session_;
};

class PhysicalMemory {
public:
    explicit PhysicalMemory(std::string bytes) : bytes_{std::move(bytes)} {}
    /// All of it, as it is now. Nothing when it cannot be read.
    static std::optional<PhysicalMemory> read(session::Session& session, std::uint64_t bytes);

    /// Every place, in bytes from the start, also where they overlap.
    [[nodiscard]] std::set<std::uint64_t> find(std::string_view text) const;
    [[nodiscard]] std::string_view bytes() const { return bytes_; }

private:
    std::string bytes_;
};

} // namespace casemate::faults
