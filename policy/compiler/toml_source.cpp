// SPDX-License-Identifier: Apache-2.0
// See toml_source.hpp. The keys are those of policy/defaults/emulated.toml.
#include "policy/compiler/toml_source.hpp"

#include "policy/compiler/inventory.hpp"
#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/plain_toml.hpp"
#include "policy/compiler/toml_fields.hpp"
#include "policy/compiler/words.hpp"

#include <algorithm>

namespace casemate::policy {
namespace {

using Tables = std::vector<const toml::table*>;

constexpr std::size_t max_source = 1 << 20;

/// The owner writes them in any order.
void read_secrets(Fields& fields, Vm& vm) {
    auto names = fields.texts("secrets");
    if (names.size() > max_secrets) return fields.bad("secrets", describe(PolicyError::secret_names));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
        if (!vm.secrets[vm.secret_count++].assign(name)) return fields.bad("secrets", describe(PolicyError::secret_names));
}

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
    if (table.contains("secrets")) read_secrets(fields, vm);
    vm.restart_limit = vm.role == Role::client ? 0 : usual_restart_limit;
    if (table.contains("restart_limit")) vm.restart_limit = fields.number<std::uint8_t>("restart_limit");
    if (table.contains("quiet_seconds")) vm.quiet_seconds = fields.number<std::uint16_t>("quiet_seconds");
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

void read_resets(Fields& fields, Device& device) {
    device.resets = 0;
    for (const std::string& word : fields.texts("resets")) {
        const auto bit = reset_bit(word);
        if (!bit) fields.bad("resets", "'" + word + "' is not one of none, function-level, secondary-bus and device-specific");
        device.resets |= bit.value_or(0);
    }
}

/// The owner writes them in any order; without a list, the agent may give all that it could be allowed.
void read_tpm_commands(const toml::table& table, Fields& fields, Policy& policy) {
    std::vector<std::uint32_t> commands{most_tpm_commands.begin(), most_tpm_commands.end()};
    if (table.contains("agent_tpm_commands")) {
        commands.clear();
        for (const std::string& word : fields.texts("agent_tpm_commands")) {
            const auto command = tpm_command(word);
            if (!command) fields.bad("agent_tpm_commands", "'" + word + "' is no TPM command that an agent may be allowed");
            else if (std::count(commands.begin(), commands.end(), *command) != 0) fields.bad("agent_tpm_commands", "'" + word + "' is there twice");
            else commands.push_back(*command);
        }
    }
    std::sort(commands.begin(), commands.end());
    std::copy(commands.begin(), commands.end(), policy.tpm_commands.begin());
    policy.tpm_command_count = static_cast<std::uint8_t>(commands.size());
}

/// Which devices a table is about. Location and id together are one device, whatever the machine; otherwise all of the machine's that fit.
struct Selector {
    std::optional<DeviceAddress> address;
    std::optional<VendorDevice> id;
    std::optional<std::string> class_prefix;

    [[nodiscard]] bool is_exact() const { return address && id && !class_prefix; }
    [[nodiscard]] bool fits(const PciFunction& function) const {
        return (!address || function.address == *address) && (!id || (function.vendor == id->vendor && function.device_id == id->device)) &&
               (!class_prefix || function.device_class.starts_with(*class_prefix));
    }
};

Selector read_selector(const toml::table& table, Fields& fields) {
    Selector selector;
    const bool by_class = table.contains("class");
    if (!by_class && !table.contains("id")) fields.text("address"); // reported when it is not there either
    if (table.contains("address") && !(selector.address = parse_address(fields.text("address"))))
        fields.bad("address", "'address' must look like 00:03.0 or 0000:00:03.0");
    if (table.contains("id") && !(selector.id = parse_vendor_device(fields.text("id")))) fields.bad("id", "'id' must look like 8086:10d3");
    if (by_class && !(selector.class_prefix = class_prefix(fields.text("class"))))
        fields.bad("class", "'class' must be network, storage, nvme, sata, usb, audio, display, or digits as lspci -n has them");
    return selector;
}

/// A device that a table before this one names is not taken twice: "this one so, all others of the class so".
bool is_named(const Policy& policy, const DeviceAddress& address) {
    const auto end = policy.devices.begin() + policy.device_count;
    return std::any_of(policy.devices.begin(), end, [&](const Device& each) { return each.address == address; });
}

void add_selected(const Selector& selector, const Device& alike, const Inventory& inventory, Fields& fields, Policy& policy) {
    std::size_t found = 0;
    for (const PciFunction& function : inventory.functions) {
        if (!selector.fits(function) || is_named(policy, function.address)) continue;
        if (policy.device_count == max_devices) return fields.bad("holders", describe(PolicyError::device_count));
        Device& device = policy.devices[policy.device_count++] = alike;
        device.address = function.address;
        device.vendor = function.vendor;
        device.device_id = function.device_id;
        ++found;
    }
    if (found == 0) fields.bad("holders", "the machine of the inventory has no (further) device like this");
}

void read_device(const toml::table& table, std::vector<Problem>& problems, const Inventory* inventory, Policy& policy) {
    Fields fields{table, problems};
    const Selector selector = read_selector(table, fields);
    Device device;
    read_holders(fields, policy, device);
    read_rights(fields, device);
    device.max_lease = fields.number<std::uint32_t>("max_lease");
    if (table.contains("resets")) read_resets(fields, device);
    if (table.contains("bootstrap_lease")) device.bootstrap_lease = fields.number<std::uint32_t>("bootstrap_lease");
    if (!problems.empty()) return;
    if (!selector.is_exact() && inventory == nullptr)
        return fields.bad("holders", "without both 'address' and 'id' it depends on the machine: give its inventory (lspci -Dnmm > FILE there, and --inventory FILE)");
    if (!selector.is_exact()) return add_selected(selector, device, *inventory, fields, policy);
    if (policy.device_count == max_devices) return fields.bad("holders", describe(PolicyError::device_count));
    device.address = *selector.address;
    device.vendor = selector.id->vendor;
    device.device_id = selector.id->device;
    policy.devices[policy.device_count++] = device;
}

/// The owner writes the VMs in any order.
void read_conflict(const toml::table& table, std::vector<Problem>& problems, const Policy& policy, Conflict& conflict) {
    Fields fields{table, problems};
    for (const std::string& name : fields.texts("between")) {
        const std::uint8_t vm = find_vm(policy, name);
        if (vm == policy.vm_count) fields.bad("between", "'" + name + "' is not a VM of this policy");
        else if (conflict.has(vm)) fields.bad("between", "'" + name + "' is there twice");
        else conflict.members |= static_cast<std::uint16_t>(1 << vm);
    }
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

/// The command line becomes one of GRUB's: printable, without what GRUB's shell would read.
TxtLaunch read_txt(const toml::table& table, std::vector<Problem>& problems) {
    constexpr std::size_t longest = 510; // room in tboot
    constexpr std::uint64_t last_version = 254;
    Fields fields{table, problems};
    TxtLaunch txt{fields.text("tboot_command_line"), static_cast<std::uint32_t>(fields.number_up_to("minimum_sinit", last_version))};
    const auto plain = [](char c) { return c >= ' ' && c <= '~' && std::string_view{"\"'\\$`;&|<>{}"}.find(c) == std::string_view::npos; };
    if (txt.tboot_command_line.size() > longest || !std::all_of(txt.tboot_command_line.begin(), txt.tboot_command_line.end(), plain))
        fields.bad("tboot_command_line", "'tboot_command_line' is at most 510 printable characters, none of them for GRUB's shell");
    return txt;
}

struct SourceTables {
    Tables vms, devices, links, conflicts;
    std::vector<std::size_t> table_of_device; // by Policy::devices: a selector's table stands for several
};

/// Where the broken rule stands: at a conflict set, at a link, at a device, at a VM, or nowhere in particular.
std::size_t line_of(const PolicyFault& fault, const SourceTables& source) {
    const auto about = [&](PolicyError first, PolicyError last) { return fault.rule >= first && fault.rule <= last; };
    const auto line = [](const Tables& tables, std::size_t index) { return index < tables.size() ? tables[index]->source().begin.line : 0; };
    if (about(PolicyError::conflict_members, PolicyError::conflict_holders)) return line(source.conflicts, fault.index);
    if (about(PolicyError::link_end_unknown, PolicyError::link_ends)) return line(source.links, fault.index);
    if (about(PolicyError::device_address, PolicyError::bootstrap_holder)) return line(source.devices, source.table_of_device.at(fault.index));
    const bool about_vm = about(PolicyError::vm_name, PolicyError::core_not_shared) && fault.rule != PolicyError::no_agent;
    return about_vm ? line(source.vms, fault.index) : 0;
}

void read_devices(const Inventory* inventory, SourceTables& all, Source& source) {
    for (std::size_t i = 0; i < all.devices.size(); ++i) {
        read_device(*all.devices[i], source.problems, inventory, source.policy);
        all.table_of_device.resize(source.policy.device_count, i);
    }
}

void read_root(const toml::table& root, const Inventory* inventory, Source& source) {
    Policy& policy = source.policy;
    std::vector<Problem>& problems = source.problems;
    Fields fields{root, problems};
    policy.epoch = fields.number<std::uint32_t>("epoch");
    if (root.contains("attestation_interval")) policy.attestation_interval = fields.number<std::uint32_t>("attestation_interval");
    read_tpm_commands(root, fields, policy);
    SourceTables all{fields.tables("vm"), fields.tables("device"), fields.tables("link"), fields.tables("conflict"), {}};
    if (const toml::table* txt = fields.table("txt")) source.txt = read_txt(*txt, problems);
    if (all.vms.size() > max_vms) return problems.push_back({0, describe(PolicyError::vm_count)});
    if (all.devices.size() > max_devices) return problems.push_back({0, describe(PolicyError::device_count)});
    if (all.conflicts.size() > max_conflicts) return problems.push_back({0, describe(PolicyError::conflict_count)});
    if (all.links.size() > max_links) return problems.push_back({0, describe(PolicyError::link_count)});
    for (const toml::table* vm : all.vms) read_vm(*vm, problems, policy.vms[policy.vm_count++]);
    read_devices(inventory, all, source);
    for (const toml::table* link : all.links) read_link(*link, problems, policy, policy.links[policy.link_count++]);
    for (const toml::table* conflict : all.conflicts) read_conflict(*conflict, problems, policy, policy.conflicts[policy.conflict_count++]);
    if (!problems.empty()) return; // the rules would only repeat them
    const auto valid = validate(policy);
    if (!valid.ok()) problems.push_back({line_of(valid.error(), all), describe(valid.error().rule)});
}

} // namespace

Source read_source(std::string_view text, const std::array<std::uint8_t, public_key_size>& grant_key, const Inventory* inventory) {
    Source source;
    source.policy.grant_key = grant_key;
    if (const auto root = parse_plain(text, max_source, source.problems)) read_root(*root, inventory, source);
    return source;
}

} // namespace casemate::policy
