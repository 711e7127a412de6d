// SPDX-License-Identifier: Apache-2.0
// Implements judge.hpp.
#include "tests/faults/judge.hpp"

#include <array>
#include <utility>

namespace casemate::faults {
namespace {

constexpr const char* cause_hung = "5"; // docs/interfaces/ledger.md
/// A round that a VM was in when the fault came, and a whole one after it.
constexpr std::uint64_t whole_round = 2;

std::optional<std::string> bytes_of(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        if (!isxdigit(static_cast<unsigned char>(hex[i])) || !isxdigit(static_cast<unsigned char>(hex[i + 1]))) return std::nullopt;
        bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

std::optional<Mark> mark_of(const session::ConsoleEvent& said) {
    char* end = nullptr;
    const std::string address = said.get("address");
    const std::uint64_t value = std::strtoull(address.c_str(), &end, 0);
    const auto magic = bytes_of(said.get("magic"));
    if (address.empty() || *end != '\0' || !magic || magic->size() != 16) return std::nullopt;
    return Mark{value, *magic};
}

struct EffectName {
    Effect effect;
    const char* name;
};
constexpr std::array names{EffectName{Effect::none, "no effect"},           EffectName{Effect::crashed_warm, "crashed, back warm"},
                           EffectName{Effect::crashed_cold, "crashed, back cold"}, EffectName{Effect::hung, "hung, back"},
                           EffectName{Effect::regranted, "quarantined, granted again"}, EffectName{Effect::not_injected, "not injected"},
                           EffectName{Effect::emulator, "emulator ended"},  EffectName{Effect::lost, "not back"}};

} // namespace

const char* name_of(Effect effect) { return names[static_cast<std::size_t>(effect)].name; }

const std::vector<Effect>& effects() {
    static const std::vector<Effect> all = [] {
        std::vector<Effect> list;
        for (const auto& each : names) list.push_back(each.effect);
        return list;
    }();
    return all;
}

void Judge::begin(std::uint64_t number) {
    number_ = number;
    injected_ = ended_ = served_ = false;
    forget_ends();
    target_.clear();
    disk_rounds_before_ = disk_rounds_;
    canary_rounds_before_ = canary_rounds_;
}

void Judge::forget_ends() {
    hung_ = quarantined_ = last_start_warm_ = false;
    stops_ = 0;
}

void Judge::take(const std::string& line) {
    if (const auto event = session::parse_event(line)) return take_event(*event);
    if (line.starts_with("hypervisor exception")) problems_.push_back(line);
    const auto said = session::parse_vm_line(line);
    if (!said) return;
    if (said->vm == faulty_vm) return take_faulty(said->text);
    if (said->vm == disk_vm)
        if (const auto proof = session::parse_proof(said->text)) return take_disk(*proof);
    if (said->vm == agent_vm)
        if (const auto told = session::parse_marked(said->text, "CM_AGENT "); told && told->name == "event=appraised") take_verdict(told->get("verdict"));
    if (said->vm == canary_vm)
        if (const auto told = session::parse_marked(said->text, "CM_CANARY ")) take_canary(*told);
}

void Judge::take_event(const session::ConsoleEvent& event) {
    const std::string vm = event.get("vm");
    if (event.name == "hypervisor_stopped" || event.name == "launch_failure" || event.name == "ledger_broken" || event.name == "attach_failed")
        problems_.push_back("the hypervisor says " + event.name);
    if (event.name == "vm_stopped" && vm != faulty_vm)
        problems_.push_back(vm + " ended with cause " + event.get("cause") + ", reason " + event.get("reason"));
    if (event.name == "draining" && event.get("device") != faulty_device)
        problems_.push_back("device " + event.get("device") + " was taken back with cause " + event.get("cause"));
    if (event.name == "vm_stopped" && vm == faulty_vm) {
        ++stops_;
        serving_ = served_ = false;
        hung_ = hung_ || event.get("cause") == cause_hung;
    }
    if (event.name == "vm_started" && vm == faulty_vm) last_start_warm_ = event.get("warm") == "1";
    if (event.name == "quarantined" && event.get("device") == faulty_device) quarantined_ = true;
}

void Judge::take_faulty(const std::string& text) {
    if (const auto state = session::parse_marked(text, "CM_STATE "); state && state->get("step") == "service") serving_ = true;
    const auto said = session::parse_marked(text, "CM_FAULT ");
    if (!said) return;
    if (said->name == "mark") {
        if (auto mark = mark_of(*said)) faulty_mark_ = std::move(mark);
    }
    if (said->get("number") != std::to_string(number_)) return;
    if (said->name == "inject") {
        if (!std::exchange(injected_, true)) forget_ends(); // those were an earlier fault's
        target_ += (target_.empty() ? "" : ", ") + said->get("target");
        disk_rounds_before_ = disk_rounds_;
        canary_rounds_before_ = canary_rounds_;
    }
    if (said->name == "ended") ended_ = true;
    if (said->name == "served") served_ = true;
}

void Judge::take_disk(const session::ConsoleEvent& proof) {
    const std::string read = proof.get("read_sha256");
    if (proof.name == "disk" && disk_digests_.contains(read) && read == proof.get("write_sha256")) ++disk_rounds_;
    else problems_.push_back("disk0's data came back changed: " + proof.get("error") + " " + read);
}

void Judge::take_canary(const session::ConsoleEvent& said) {
    if (said.name == "mark") {
        canary_mark_ = mark_of(said);
        return;
    }
    if (said.get("bad") == "0") ++canary_rounds_;
    else problems_.push_back("the canary's memory changed: " + said.get("bad") + " of " + said.get("pages") + " pages");
}

void Judge::take_verdict(const std::string& verdict) {
    if (verdict != "\"affirming\"") problems_.push_back("the verifier's verdict on the evidence is " + verdict);
}

std::string Judge::others_idle() const {
    if (disk_rounds_ < disk_rounds_before_ + whole_round) return disk_vm;
    return canary_rounds_ < canary_rounds_before_ + whole_round ? canary_vm : "";
}

Effect Judge::effect() const {
    if (!served_) return Effect::lost;
    if (quarantined_) return Effect::regranted;
    if (hung_) return Effect::hung;
    if (stops_ > 0) return last_start_warm_ && stops_ == 1 ? Effect::crashed_warm : Effect::crashed_cold;
    return injected_ ? Effect::none : Effect::not_injected;
}

} // namespace casemate::faults
