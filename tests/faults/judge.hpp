// SPDX-License-Identifier: Apache-2.0
// Reads the platform's console during a campaign and says what became of the driver VM, and whether anybody else noticed.
// Pure: lines in, verdicts out. UNTRUSTED: the faulty VM's own lines only drive the campaign; what acquits are lines of the TCB, and of
// VMs that no fault may reach.
#pragma once

#include "dlaunch/session/console_event.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace casemate::faults {

inline constexpr const char* faulty_vm = "net0";
inline constexpr const char* faulty_device = "00:03.0";
inline constexpr const char* agent_vm = "agent";
inline constexpr const char* disk_vm = "disk0";
inline constexpr const char* canary_vm = "canary";

enum class Effect {
    none,         // the driver VM served on
    crashed_warm, // it ended and came back from its snapshot
    crashed_cold, // it ended, at least once, and booted again in the end
    hung,         // its watchdog ended it, and it came back
    regranted,    // it ended too often: its device went to quarantine, and came back with a new grant
    not_injected, // the module found nothing to damage
    emulator,     // QEMU's own assertion ended the machine
    lost,         // it did not come back: a failure
};
[[nodiscard]] const char* name_of(Effect effect);
[[nodiscard]] const std::vector<Effect>& effects();

/// A page by whose content the host finds a VM's memory.
struct Mark {
    std::uint64_t guest_address = 0;
    std::string magic; // 16 bytes
};

class Judge {
public:
    /// `disk_digests`: what the disk's VM may write, in hex.
    explicit Judge(std::set<std::string> disk_digests) : disk_digests_{std::move(disk_digests)} {}

    void take(const std::string& line);

    /// What follows is fault `number`'s.
    void begin(std::uint64_t number);
    /// The fault was announced, or the module had nothing to damage.
    [[nodiscard]] bool injected() const { return injected_ || ended_; }
    /// The driver VM is at its work again and, since the fault, the others have each done a whole round of theirs.
    [[nodiscard]] bool settled() const { return injected() && served_ && others_idle().empty(); }
    /// Who has not done that round.
    [[nodiscard]] std::string others_idle() const;
    [[nodiscard]] Effect effect() const;
    /// What the fault was, in the module's words.
    [[nodiscard]] const std::string& target() const { return target_; }
    void accuse(const std::string& problem) { problems_.push_back(problem); }
    /// Everybody runs.
    [[nodiscard]] bool serving() const { return serving_ && disk_rounds_ > 0 && canary_rounds_ > 0; }

    /// What must never happen, one sentence each, since the start.
    [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
    [[nodiscard]] const std::optional<Mark>& faulty_mark() const { return faulty_mark_; }
    [[nodiscard]] const std::optional<Mark>& canary_mark() const { return canary_mark_; }

private:
    void forget_ends();
    void take_event(const session::ConsoleEvent& event);
    void take_faulty(const std::string& text);
    void take_disk(const session::ConsoleEvent& proof);
    void take_verdict(const std::string& verdict);
    void take_canary(const session::ConsoleEvent& said);

    std::set<std::string> disk_digests_;
    std::uint64_t number_ = 0;
    bool injected_ = false, ended_ = false, served_ = false, serving_ = false;
    std::string target_;
    unsigned stops_ = 0;
    bool hung_ = false, quarantined_ = false, last_start_warm_ = false;
    std::uint64_t disk_rounds_ = 0, canary_rounds_ = 0; // since the start
    std::uint64_t disk_rounds_before_ = 0, canary_rounds_before_ = 0;
    std::optional<Mark> faulty_mark_, canary_mark_;
    std::vector<std::string> problems_;
};

} // namespace casemate::faults
