// SPDX-License-Identifier: Apache-2.0
// The owner's policy in memory: which VMs run, which devices each may hold, which of them are linked, and whose grants count.
// Plain fixed-size values (about 20 KiB in all), no allocation. Wire form: docs/interfaces/policy.md.
// Made by parse_policy() (payload.hpp) from a verified bundle, or by the compiler; valid only after validate().
// Who reads it: the hypervisor (VMs, custody), the verifier (which VM may hold which device).
#pragma once

#include "hypervisor/base/device_address.hpp"
#include "hypervisor/base/result.hpp"
#include "policy/model/tpm_commands.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace casemate::policy {

inline constexpr std::uint64_t format_version = 1;
inline constexpr std::size_t max_vms = 16;
inline constexpr std::size_t max_devices = 32;
inline constexpr std::size_t max_holders = 8;
inline constexpr std::size_t max_links = 16;
inline constexpr std::size_t max_link_ends = 4; // of one VM
inline constexpr std::size_t max_conflicts = 8;
inline constexpr std::size_t max_secrets = 4; // of one VM
inline constexpr std::size_t max_secret_name = 31;
/// What a bootstrap grant is sealed as: no secret of a VM's (docs/interfaces/secret.md).
inline constexpr std::string_view bootstrap_secret = "bootstrap-lease";
inline constexpr std::size_t max_vm_name = 15;
inline constexpr std::size_t max_file_name = 31; // launch::Image.name holds 32 with its NUL
inline constexpr std::size_t max_command_line = 1024;
inline constexpr std::uint32_t min_memory_mib = 16;
inline constexpr std::uint32_t max_memory_mib = 65536;
inline constexpr std::uint8_t max_core = 63;
inline constexpr std::uint16_t usual_weight = 100, max_weight = 10000;
inline constexpr std::uint32_t max_lease_seconds = 86400;
inline constexpr std::uint8_t usual_restart_limit = 5, max_restart_limit = 8;
inline constexpr std::uint16_t usual_quiet_seconds = 60, max_quiet_seconds = 3600;
inline constexpr std::uint32_t max_bootstrap_seconds = 600; // short: nobody has looked yet
inline constexpr std::size_t public_key_size = 65; // SEC1 uncompressed P-256 point

/// A short text by value.
template <std::size_t capacity>
class Text {
public:
    constexpr Text() = default;
    /// False, and nothing changed, when it does not fit.
    [[nodiscard]] constexpr bool assign(std::string_view text) {
        if (text.size() > capacity) return false;
        for (std::size_t i = 0; i < text.size(); ++i) bytes_[i] = text[i];
        size_ = static_cast<std::uint16_t>(text.size());
        return true;
    }
    [[nodiscard]] constexpr std::string_view view() const { return {bytes_, size_}; }

private:
    std::uint16_t size_ = 0;
    char bytes_[capacity] = {};
};

enum class Role : std::uint8_t { agent = 0, driver = 1, client = 2 };
enum class Restart : std::uint8_t { cold = 0, warm = 1 };
enum class Placement : std::uint8_t { shared = 0, dedicated = 1 };

/// Bits of Device::rights and of a grant's rights.
inline constexpr std::uint8_t right_dma = 1;
inline constexpr std::uint8_t right_interrupts = 2;
inline constexpr std::uint8_t right_mmio = 4;
inline constexpr std::uint8_t all_rights = right_dma | right_interrupts | right_mmio;

struct Vm {
    Text<max_vm_name> name; // 1..15 of a-z 0-9 -
    Role role = Role::driver;
    Text<max_file_name> kernel; // name of an Image of the launch
    Text<max_file_name> initrd;
    Text<max_command_line> command_line; // printable ASCII
    std::uint32_t memory_mib = 0;        // even: guest memory is mapped by 2 MiB pages
    std::uint8_t core = 0;
    Placement placement = Placement::shared;
    std::uint8_t vcpus = 1;
    std::uint16_t weight = usual_weight; // of its core, against the other VMs there
    std::uint8_t cap = 100;              // percent of its core at most
    Restart restart = Restart::cold; // warm: from a snapshot, for which as much memory again is set aside
    // After so many restarts in a row, none of which ran quietly for so long, its devices go back for good. A client is not restarted: 0.
    std::uint8_t restart_limit = usual_restart_limit;
    std::uint16_t quiet_seconds = usual_quiet_seconds;
    std::uint8_t secret_count = 0;
    std::array<Text<max_secret_name>, max_secrets> secrets{}; // names of those that it may be given, ascending

    [[nodiscard]] constexpr bool may_have(std::string_view secret) const {
        for (std::size_t i = 0; i < secret_count; ++i)
            if (secrets[i].view() == secret) return true;
        return false;
    }
};

/// Bits of Device::resets: bit k is measure::ResetKind k.
inline constexpr std::uint8_t all_resets = 0xf;

struct Device {
    DeviceAddress address;
    std::uint16_t vendor = 0;
    std::uint16_t device_id = 0;
    std::uint8_t holder_count = 0;
    std::array<std::uint8_t, max_holders> holders{}; // indices into Policy::vms: who may be granted it
    std::uint8_t rights = 0;                         // the most that a grant may give
    std::uint32_t max_lease = 0;                     // seconds
    std::uint8_t resets = all_resets;                // how it may be reset between two holders; bit 0: not at all (docs/measurements.md, tainted)
    std::uint32_t bootstrap_lease = 0; // seconds at most under a sealed grant, before the verifier has looked; 0: not so

    [[nodiscard]] constexpr bool accepts_reset(std::uint8_t kind) const { return (resets >> kind & 1) != 0; }

    [[nodiscard]] constexpr bool may_hold(std::size_t vm) const {
        for (std::size_t i = 0; i < holder_count; ++i)
            if (holders[i] == vm) return true;
        return false;
    }
};

/// A virtual network cable between two VMs. Each VM has its end as a device, in the order of Policy::links.
struct Link {
    std::uint8_t first = 0;  // indices into Policy::vms, ascending: a link has one spelling
    std::uint8_t second = 0;

    [[nodiscard]] constexpr bool ends_at(std::size_t vm) const { return first == vm || second == vm; }
};

/// VMs whose owners must not learn of each other: no two of them reach each other, over links and whichever VMs, nor may hold the same device.
struct Conflict {
    std::uint16_t members = 0; // bit i: Policy::vms[i]

    [[nodiscard]] constexpr bool has(std::size_t vm) const { return (members >> vm & 1) != 0; }
};

struct Policy {
    std::uint64_t epoch = 0;
    std::array<std::uint8_t, public_key_size> grant_key{};
    std::array<std::uint8_t, public_key_size> next_grant_key{}; // while the verifier changes its key: counts as well; zeros: there is none
    std::uint8_t vm_count = 0;
    std::array<Vm, max_vms> vms{};
    std::uint8_t device_count = 0;
    std::array<Device, max_devices> devices{};
    std::uint8_t link_count = 0;
    std::array<Link, max_links> links{};
    std::uint8_t conflict_count = 0;
    std::array<Conflict, max_conflicts> conflicts{};
    std::uint32_t attestation_interval = 0; // seconds from one evidence to the next at most; 0: as the leases want it
    std::uint8_t tpm_command_count = 0;
    std::array<std::uint32_t, most_tpm_commands.size()> tpm_commands{}; // that the agent VM may give, ascending

    [[nodiscard]] constexpr std::span<const std::uint32_t> agent_commands() const { return std::span{tpm_commands}.first(tpm_command_count); }
    [[nodiscard]] constexpr bool has_next_grant_key() const { return next_grant_key != decltype(next_grant_key){}; }
    /// May that VM be granted a device before the verifier has looked?
    [[nodiscard]] constexpr bool may_bootstrap(std::size_t vm) const {
        for (std::size_t i = 0; i < device_count; ++i)
            if (devices[i].bootstrap_lease != 0 && devices[i].may_hold(vm)) return true;
        return false;
    }
    /// The driver VM of that name, if it may be given that secret, or be bootstrapped; vm_count otherwise.
    [[nodiscard]] constexpr std::uint8_t receiver_of(std::string_view secret, std::string_view vm) const {
        std::uint8_t index = 0;
        while (index < vm_count && vms[index].name.view() != vm) ++index;
        if (index == vm_count || vms[index].role != Role::driver) return vm_count;
        return vms[index].may_have(secret) || (secret == bootstrap_secret && may_bootstrap(index)) ? index : vm_count;
    }
};

/// One number per rule. `shape`: not canonical CBOR of the documented form, or a value beyond its field.
enum class PolicyError : std::uint8_t {
    none = 0,
    shape,
    version,
    epoch,
    grant_key,
    grant_key_twice,
    vm_count,
    vm_name,
    vm_name_twice,
    role,
    file_name,
    command_line,
    memory,
    core,
    placement,
    vcpus,
    restart,
    restart_not_driver,
    secret_names,
    secrets_not_driver,
    restart_limit,
    restart_limit_of_client,
    quiet_seconds,
    weight,
    cap,
    no_agent,
    two_agents,
    core_not_shared,
    device_count,
    device_address,
    device_twice,
    device_id,
    holder_count,
    holder_unknown,
    holder_twice,
    holder_is_agent,
    rights,
    lease,
    resets,
    bootstrap_lease,
    bootstrap_holder,
    link_count,
    link_end_unknown,
    link_to_itself,
    link_order,
    link_to_agent,
    link_twice,
    link_ends,
    conflict_count,
    conflict_members,
    conflict_links,
    conflict_holders,
    attestation_interval,
    tpm_commands,
};

/// The broken rule, and which VM, device, link or conflict set (by its index) breaks it; 0 for rules about the whole policy.
struct PolicyFault {
    PolicyError rule = PolicyError::none;
    std::uint8_t index = 0;
};

/// Every rule on values; parse_policy() has run it already.
[[nodiscard]] Status<PolicyFault> validate(const Policy& policy);

/// The rule as a sentence. Host only.
[[nodiscard]] const char* describe(PolicyError error);

} // namespace casemate::policy
