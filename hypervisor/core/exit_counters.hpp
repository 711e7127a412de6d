// SPDX-License-Identifier: Apache-2.0
// How often a VM left guest mode, by kind of exit. Part of the VM's status (control device, report).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace casemate::core {

enum class ExitKind : std::uint8_t {
    interrupt,
    cpuid,
    hlt,
    port,
    msr,
    memory,
    hypercall,
    exception,
    other,
    count
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(ExitKind::count)> exit_kind_names = {
    "interrupt", "cpuid", "hlt", "port", "msr", "memory", "hypercall", "exception", "other"};

struct ExitCounters {
    std::array<std::uint64_t, static_cast<std::size_t>(ExitKind::count)> counts{};

    void count(ExitKind kind) { ++counts[static_cast<std::size_t>(kind)]; }
    [[nodiscard]] std::uint64_t of(ExitKind kind) const { return counts[static_cast<std::size_t>(kind)]; }
};

} // namespace casemate::core
