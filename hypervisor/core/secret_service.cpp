// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/secret_service.hpp"

#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/core/log.hpp"

#include <algorithm>

namespace casemate::core {

SecretError SecretService::release(ByteView request, ByteView grant) {
    const auto owner = measure::P256PublicKey::create(machine_.boot().owner_key);
    LittleEndianReader in{request};
    const ByteView message = in.bytes(in.u32());
    const auto approval = secret::read_approval(in.bytes(in.remaining()));
    if (!in.ok() || !owner.ok()) return SecretError::message;
    const auto sealed = secret::open_secret(message, owner.value());
    if (!sealed.ok()) return SecretError::message;
    if (!approval.ok() || approval.value().vm != sealed.value().vm) return SecretError::approval;
    const policy::Policy& policy = custody_.policy();
    const custody::VmIndex vm = policy.receiver_of(sealed.value().name, sealed.value().vm);
    if (vm == policy.vm_count) return SecretError::vm;
    const bool bootstrap = sealed.value().name == policy::bootstrap_secret;
    const SecretError error = bootstrap == grant.empty() ? SecretError::grant
                              : bootstrap ? open_grant(sealed.value(), approval.value(), vm, grant)
                                          : hand_over(sealed.value(), approval.value(), vm);
    LogLine{"@cm event=secret"}.key("vm", policy.vms[vm].name.view()).key("name", sealed.value().name).key("error", static_cast<unsigned>(error));
    return error;
}

/// Looked at twice: a lease may lapse while the TPM works. Recorded before the VM has it, so the ledger never says too little.
SecretError SecretService::hand_over(const secret::SealedSecret& sealed, const secret::Approval& approval, custody::VmIndex vm) {
    devices::SecretMailbox& mailbox = machine_.vms()[vm]->platform().mailbox;
    if (!holds_its_devices(vm)) return SecretError::not_holding;
    if (!mailbox.empty()) return SecretError::unread;
    secret::Plaintext plaintext;
    const SecretError error = open(sealed, approval, vm, plaintext);
    if (error != SecretError::none) return error;
    if (!holds_its_devices(vm)) return SecretError::not_holding;
    if (!ledger_.record({.kind = measure::LedgerKind::secret_released, .vm_id = custody_.vm(vm).id, .name = sealed.name})) return SecretError::ledger;
    return mailbox.put(sealed.name, plaintext.view()) ? SecretError::none : SecretError::unread;
}

/// What is sealed is a grant's digest. It needs no hiding: that the TPM gives it, here and now, is the word.
SecretError SecretService::open_grant(const secret::SealedSecret& sealed, const secret::Approval& approval, custody::VmIndex vm, ByteView grant) {
    secret::Plaintext digest;
    const SecretError error = open(sealed, approval, vm, digest);
    return error != SecretError::none || equal(digest.view(), measure::sha256(grant)) ? error : SecretError::grant;
}

SecretError SecretService::open(const secret::SealedSecret& sealed, const secret::Approval& approval, custody::VmIndex vm, secret::Plaintext& out) {
    const auto released = secret::release(*this, sealed, approval, machine_.boot().owner_key, custody_.vm(vm).id, banks_, out);
    if (released.ok()) return SecretError::none;
    return static_cast<SecretError>(static_cast<unsigned>(SecretError::tpm) + static_cast<unsigned>(released.error().step));
}

/// Every device that the policy lets it have and that has a live grant for it is at it, and there is one.
bool SecretService::holds_its_devices(custody::VmIndex vm) const {
    bool holds = false;
    for (custody::DeviceIndex i = 0; i < custody_.policy().device_count; ++i) {
        const custody::DeviceRecord& device = custody_.device(i);
        if (!device.granted() || device.holder != vm) continue;
        if (device.state != custody::DeviceState::assigned || machine_.now_ms() >= device.lapses_at()) return false;
        holds = true;
    }
    return holds && machine_.vms()[vm]->lives();
}

Result<ByteSpan, measure::TpmFault> SecretService::transmit(ByteView command, ByteSpan response) {
    waiting_.while_tpm_is_busy(); // some twenty commands take longer than a tick
    const auto size = tpm_.transmit(command, response);
    if (!size.ok()) return Failure{measure::TpmFault{}};
    return response.first(size.value());
}

bool SecretService::random(ByteSpan out) {
    return std::ranges::all_of(out, [](std::uint8_t& byte) { return arch::random_byte(byte); });
}

} // namespace casemate::core
