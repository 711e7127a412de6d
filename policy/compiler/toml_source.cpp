// SPDX-License-Identifier: Apache-2.0
// See toml_source.hpp. The keys are those of policy/defaults/emulated.toml.
#include "policy/compiler/toml_source.hpp"

#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/toml_fields.hpp"

#include <algorithm>

namespace casemate::policy {
namespace {

using Tables = std::vector<const toml::table*>;

void read_vm(const toml::table& table, std::vector<Problem>& problems, Vm& vm) {
    Fields fields{table, problems};
    fields.text_into("name", vm.name);
    const std::string role = fields.text("role");
    if (role == "agent") vm.role = Role::agent;
    else if (role == "driver") vm.role = Role::driver;
    else if (role == "client") vm.role = Role::client;
    else fields.bad("role", describe(PolicyError::role));
    fields.text_into("kernel", vm.kernel);
    fields.text_into("initrd", vm.initrd);
    fields.text_into("command_line", vm.command_line);
    vm.memory_mib = fields.number<std::uint32_t>("memory_mib");
    vm.core = fields.number<std::uint8_t>("core");
    const std::string placement = fields.text("placement");
    if (placement == "shared") vm.placement = Placement::shared;
    else if (placement == "dedicated") vm.placement = Placement::dedicated;
    else fields.bad("placement", describe(PolicyError::placement));
    if (table.contains("weight")) vm.weight = fields.number<std::uint16_t>("weight");
    if (table.contains("cap_percent")) vm.cap = fields.number<std::uint8_t>("cap_percent");
    if (!table.contains("restart")) return;
    const std::string restart = fields.text("restart");
    if (restart == "warm") vm.restart = Restart::warm;
    else if (restart != "cold") fields.bad("restart", describe(PolicyError::restart));
}

/// vm_count when there is none of this name.
std::uint8_t find_vm(const Policy& policy, std::string_view name) {
    std::uint8_t vm = 0;
    while (vm < policy.vm_count && policy.vms[vm].name.view() != name) ++vm;
    return vm;
}

void read_holders(Fields& fields, const Policy& policy, Device& device) {
    const auto names = fields.texts("holders");
    if (names.size() > max_holders) return fields.bad("holders", describe(PolicyError::holder_count));
    for (const std::string& name : names) {
        const std::uint8_t vm = find_vm(policy, name);
        if (vm == policy.vm_count) fields.bad("holders", "'" + name + "' is not a VM of this policy");
        else device.holders[device.holder_count++] = vm;
    }
}

void read_rights(Fields& fields, Device& device) {
    for (const std::string& right : fields.texts("rights")) {
        if (right == "dma") device.rights |= right_dma;
        else if (right == "interrupts") device.rights |= right_interrupts;
        else if (right == "mmio") device.rights |= right_mmio;
        else fields.bad("rights", "'" + right + "' is not one of dma, interrupts and mmio");
    }
}

void read_device(const toml::table& table, std::vector<Problem>& problems, const Policy& policy, Device& device) {
    Fields fields{table, problems};
    if (const auto address = parse_address(fields.text("address"))) device.address = *address;
    else fields.bad("address", "'address' must look like 00:03.0 or 0000:00:03.0");
    if (const auto id = parse_vendor_device(fields.text("id"))) {
        device.vendor = id->vendor;
        device.device_id = id->device;
    } else {
        fields.bad("id", "'id' must look like 8086:10d3");
    }
    read_holders(fields, policy, device);
    read_rights(fields, device);
    device.max_lease = fields.number<std::uint32_t>("max_lease");
}

/// The owner writes the two VMs in any order.
void read_link(const toml::table& table, std::vector<Problem>& problems, const Policy& policy, Link& link) {
    Fields fields{table, problems};
    const auto names = fields.texts("between");
    if (names.empty()) return; // reported, or for the rules to refuse
    if (names.size() != 2) return fields.bad("between", "'between' must name two VMs");
    std::uint8_t ends[2] = {};
    for (std::size_t i = 0; i < 2; ++i) {
        ends[i] = find_vm(policy, names[i]);
        if (ends[i] == policy.vm_count) fields.bad("between", "'" + names[i] + "' is not a VM of this policy");
    }
    link = {std::min(ends[0], ends[1]), std::max(ends[0], ends[1])};
}

struct SourceTables {
    Tables vms, devices, links;
};

/// Where the broken rule stands: at a link, at a device, at a VM, or nowhere in particular.
std::size_t line_of(const PolicyFault& fault, const SourceTables& source) {
    const bool about_link = fault.rule >= PolicyError::link_end_unknown;
    const bool about_device = fault.rule >= PolicyError::device_address && fault.rule <= PolicyError::lease;
    const bool about_vm = fault.rule >= PolicyError::vm_name && fault.rule <= PolicyError::core_not_shared &&
                          fault.rule != PolicyError::no_agent;
    const Tables& tables = about_link ? source.links : about_device ? source.devices : source.vms;
    if (!(about_link || about_device || about_vm) || fault.index >= tables.size()) return 0;
    return tables[fault.index]->source().begin.line;
}

void read_root(const toml::table& root, Source& source) {
    Policy& policy = source.policy;
    std::vector<Problem>& problems = source.problems;
    Fields fields{root, problems};
    policy.epoch = fields.number<std::uint32_t>("epoch");
    const SourceTables all{fields.tables("vm"), fields.tables("device"), fields.tables("link")};
    if (all.vms.size() > max_vms) return problems.push_back({0, describe(PolicyError::vm_count)});
    if (all.devices.size() > max_devices) return problems.push_back({0, describe(PolicyError::device_count)});
    if (all.links.size() > max_links) return problems.push_back({0, describe(PolicyError::link_count)});
    for (const toml::table* vm : all.vms) read_vm(*vm, problems, policy.vms[policy.vm_count++]);
    for (const toml::table* device : all.devices)
        read_device(*device, problems, policy, policy.devices[policy.device_count++]);
    for (const toml::table* link : all.links) read_link(*link, problems, policy, policy.links[policy.link_count++]);
    if (!problems.empty()) return; // the rules would only repeat them
    const auto valid = validate(policy);
    if (!valid.ok()) problems.push_back({line_of(valid.error(), all), describe(valid.error().rule)});
}

} // namespace

Source read_source(std::string_view text, const std::array<std::uint8_t, public_key_size>& grant_key) {
    Source source;
    source.policy.grant_key = grant_key;
    try {
        read_root(toml::parse(text), source);
    } catch (const toml::parse_error& error) { // the library's way to say "not TOML"
        source.problems.push_back({error.source().begin.line, std::string{error.description()}});
    }
    return source;
}

} // namespace casemate::policy
