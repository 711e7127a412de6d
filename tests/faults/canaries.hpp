// SPDX-License-Identifier: Apache-2.0
// What no DMA of the faulty VM's device may have reached, judged in physical memory: whatever the network brings that VM is marked, and a
// mark outside of its memory came there by its device. Memory that belongs to nobody stays as it was.
#pragma once

#include "tests/faults/judge.hpp"
#include "tests/faults/physical_memory.hpp"

namespace casemate::faults {

inline constexpr std::uint64_t faulty_memory = 128 << 20, canary_memory = 128 << 20; // of the two VMs

class Canaries {
public:
    /// `mark`: the text that the network is full of.
    explicit Canaries(std::string mark) : mark_{std::move(mark)} {}

    /// What is wrong, in one sentence; nothing when all is well. The first look decides which memory belongs to nobody.
    [[nodiscard]] std::optional<std::string> look(const PhysicalMemory& memory, const Mark& faulty, const Mark& canary);

private:
    std::string mark_;
    std::set<std::uint64_t> idle_; // all zero at the first look
};

} // namespace casemate::faults
