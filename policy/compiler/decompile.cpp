// SPDX-License-Identifier: Apache-2.0
// See decompile.hpp. The keys are those that toml_source.cpp reads.
#include "policy/compiler/decompile.hpp"

#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/words.hpp"

namespace casemate::policy {
namespace {

/// A TOML basic string. Texts of a policy are printable ASCII.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) result += (c == '"' || c == '\\') ? std::string{'\\', c} : std::string{c};
    return result + "\"";
}

std::string array(const std::vector<std::string>& words) {
    std::string text = "[";
    for (const std::string& each : words) text += (text.size() == 1 ? "" : ", ") + quoted(each);
    return text + "]";
}

class Writer {
public:
    void table(const char* name) { text_ += std::string{"\n[["} + name + "]]\n"; }
    void line(const char* key, const std::string& value) { text_ += std::string{key} + " = " + value + "\n"; }
    void number(const char* key, std::uint64_t value) { line(key, std::to_string(value)); }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
};

void write_vm(Writer& out, const Vm& vm) {
    out.table("vm");
    out.line("name", quoted(vm.name.view()));
    out.line("role", quoted(word(vm.role)));
    out.line("kernel", quoted(vm.kernel.view()));
    out.line("initrd", quoted(vm.initrd.view()));
    out.line("command_line", quoted(vm.command_line.view()));
    out.number("memory_mib", vm.memory_mib);
    out.number("core", vm.core);
    out.line("placement", quoted(word(vm.placement)));
    out.number("weight", vm.weight);
    out.number("cap_percent", vm.cap);
    out.line("restart", quoted(word(vm.restart)));
    out.number("restart_limit", vm.restart_limit);
    out.number("quiet_seconds", vm.quiet_seconds);
    if (vm.secret_count != 0) out.line("secrets", array(secret_names(vm)));
}

void write_device(Writer& out, const Policy& policy, const Device& device) {
    out.table("device");
    out.line("address", quoted(to_text(device.address)));
    out.line("id", quoted(id_text(device)));
    out.line("holders", array(holder_names(policy, device)));
    out.line("rights", array(right_words(device.rights)));
    out.number("max_lease", device.max_lease);
    out.line("resets", array(reset_words(device.resets)));
    if (device.bootstrap_lease != 0) out.number("bootstrap_lease", device.bootstrap_lease);
}

} // namespace

std::string decompile(const Policy& policy) {
    Writer out;
    out.number("epoch", policy.epoch);
    if (policy.attestation_interval != 0) out.number("attestation_interval", policy.attestation_interval);
    out.line("agent_tpm_commands", array(tpm_command_words(policy.agent_commands())));
    for (std::size_t i = 0; i < policy.vm_count; ++i) write_vm(out, policy.vms[i]);
    for (std::size_t i = 0; i < policy.device_count; ++i) write_device(out, policy, policy.devices[i]);
    for (std::size_t i = 0; i < policy.link_count; ++i) {
        out.table("link");
        out.line("between", array({vm_name(policy, policy.links[i].first), vm_name(policy, policy.links[i].second)}));
    }
    for (std::size_t i = 0; i < policy.conflict_count; ++i) {
        out.table("conflict");
        out.line("between", array(member_names(policy, policy.conflicts[i])));
    }
    return out.take();
}

} // namespace casemate::policy
