// SPDX-License-Identifier: Apache-2.0
// The rules of the policy as sentences, for the compiler and the verifier. Host only.
#include "policy/model/bundle.hpp"

namespace casemate::policy {

const char* describe(PolicyError error) {
    switch (error) {
    case PolicyError::none: return "no error";
    case PolicyError::shape: return "not the canonical encoding of a policy";
    case PolicyError::version: return "unknown policy version";
    case PolicyError::epoch: return "the epoch must be at least 1";
    case PolicyError::grant_key: return "the verifier key is not an uncompressed P-256 point";
    case PolicyError::grant_key_twice: return "the verifier's next key is its present one";
    case PolicyError::vm_count: return "there must be 1 to 16 VMs";
    case PolicyError::vm_name: return "a VM name is 1 to 15 of a-z, 0-9 and -";
    case PolicyError::vm_name_twice: return "two VMs have the same name";
    case PolicyError::role: return "the role must be agent, driver or client";
    case PolicyError::file_name: return "a file name is 1 to 31 of A-Z, a-z, 0-9, '.', '_', '-', not first '.'";
    case PolicyError::command_line: return "the command line must be at most 1024 printable ASCII characters";
    case PolicyError::memory: return "the memory must be an even number of MiB from 16 to 65536";
    case PolicyError::core: return "the core must be 0 to 63";
    case PolicyError::placement: return "the placement must be shared or dedicated";
    case PolicyError::vcpus: return "a VM has exactly one vCPU";
    case PolicyError::no_agent: return "one VM must have the role agent";
    case PolicyError::two_agents: return "only one VM may have the role agent";
    case PolicyError::core_not_shared: return "the core of a dedicated VM cannot be used by another VM";
    case PolicyError::device_count: return "there may be at most 32 devices";
    case PolicyError::device_address: return "a device is segment 0-ffff, bus 0-ff, device 0-1f, function 0-7";
    case PolicyError::device_twice: return "the device is listed twice";
    case PolicyError::device_id: return "the vendor cannot be 0000 or ffff";
    case PolicyError::holder_count: return "a device has 1 to 8 holders";
    case PolicyError::holder_unknown: return "a holder is not a VM of this policy";
    case PolicyError::holder_twice: return "a holder is named twice";
    case PolicyError::holder_is_agent: return "the agent VM may not hold a device";
    case PolicyError::rights: return "the rights must be one or more of dma, interrupts and mmio";
    case PolicyError::lease: return "the longest lease must be 1 to 86400 seconds";
    case PolicyError::bootstrap_lease: return "the bootstrap lease is at most 600 seconds and the longest lease; 0 is none";
    case PolicyError::bootstrap_holder: return "a device with a bootstrap lease is for driver VMs only";
    case PolicyError::link_count: return "there may be at most 16 links";
    case PolicyError::link_end_unknown: return "an end of a link is not a VM of this policy";
    case PolicyError::link_to_itself: return "a link joins two different VMs";
    case PolicyError::link_order: return "the two VMs of a link stand in the order of the VMs";
    case PolicyError::link_to_agent: return "the agent VM may have a link only to a VM that may hold a device with a bootstrap lease";
    case PolicyError::link_twice: return "two VMs have at most one link between them";
    case PolicyError::link_ends: return "a VM has at most 4 links";
    case PolicyError::conflict_count: return "a policy has at most 8 conflict sets";
    case PolicyError::conflict_members: return "a conflict set names two or more VMs of the policy, each once, in the order of the VMs";
    case PolicyError::conflict_links: return "two VMs of the conflict set reach each other over links";
    case PolicyError::conflict_holders: return "two VMs of the conflict set may hold the same device";
    case PolicyError::restart: return "restart is cold or warm";
    case PolicyError::weight: return "the weight must be 1 to 10000";
    case PolicyError::cap: return "the cap must be 1 to 100 percent of the core";
    case PolicyError::secret_names: return "a VM has at most 4 secrets, each once, in ascending order; a name has 1 to 31 of a-z 0-9 - _ ., and is not bootstrap-lease";
    case PolicyError::secrets_not_driver: return "only a driver VM can be given secrets";
    case PolicyError::restart_limit: return "a VM is restarted at most 8 times in a row";
    case PolicyError::restart_limit_of_client: return "a client VM is not restarted: its restart limit is 0";
    case PolicyError::quiet_seconds: return "a restart counts as good after 1 to 3600 quiet seconds";
    case PolicyError::resets: return "the accepted resets must be one or more of none, function-level, secondary-bus and device-specific";
    case PolicyError::attestation_interval: return "the attestation interval must be at most 86400 seconds";
    case PolicyError::tpm_commands: return "the agent's TPM commands must be among those that an agent may have, ascending";
    case PolicyError::restart_not_driver: return "only a driver VM can be restarted warm";
    }
    return "unknown error";
}

const char* describe(BundleError error) {
    switch (error) {
    case BundleError::none: return "no error";
    case BundleError::too_large: return "the bundle is larger than 64 KiB";
    case BundleError::shape: return "not a signed policy bundle";
    case BundleError::header: return "the bundle's header does not name ES256 and an owner key, or a set of owners";
    case BundleError::owner_key: return "the owner is not an uncompressed P-256 point, nor a set of such in its one encoding";
    case BundleError::signature: return "the signature is not the owner's";
    case BundleError::signer: return "the signatures are not by different owners of the set, in its order, and at most as many as it demands";
    case BundleError::threshold: return "signatures of owners are missing";
    }
    return "unknown error";
}

} // namespace casemate::policy
