// SPDX-License-Identifier: Apache-2.0
// Sealed secrets at work (docs/interfaces/secret.md): takes one from the agent, has the TPM open it, hands it to its VM's mailbox. The
// plaintext is nowhere else, and gone when the VM has read it. Boot core only.
#pragma once

#include "attest/secret/release.hpp"
#include "hypervisor/core/machine.hpp"
#include "hypervisor/core/tpm_service.hpp"
#include "hypervisor/custody/custody.hpp"

namespace casemate::core {

/// The answer on the control device; the TPM's own refusals follow as tpm + ReleaseStep.
enum class SecretError : std::uint8_t {
    none = 0,
    message = 1,     // not a secret sealed by the policy's owner
    approval = 2,    // not an approval for the same VM
    vm = 3,          // the policy has no driver VM of this name that may be given this secret
    not_holding = 4, // it does not run, or does not hold each of its devices under a live lease
    unread = 5,      // it has not read the last one
    ledger = 6,      // could not be recorded: not handed over
    grant = 7,       // a bootstrap grant's seal without that grant, or another seal with one
    tpm = 16,
};

class SecretService final : public secret::ReleaseHost {
public:
    SecretService(Machine& machine, TpmService& tpm, const custody::Custody& custody, custody::CustodyActions& ledger,
                  TpmWaiting& waiting, const measure::Banks& banks)
        : machine_{machine}, tpm_{tpm}, custody_{custody}, ledger_{ledger}, waiting_{waiting}, banks_{banks} {}

    /// UNTRUSTED: the size of the sealed secret (u32), the secret, the approval. With a grant it is the seal of that grant: opened, it
    /// is for custody to take.
    [[nodiscard]] SecretError release(ByteView request, ByteView grant = {});

    // --- secret::ReleaseHost
    Result<ByteSpan, measure::TpmFault> transmit(ByteView command, ByteSpan response) override;
    bool random(ByteSpan out) override;

private:
    [[nodiscard]] SecretError hand_over(const secret::SealedSecret& sealed, const secret::Approval& approval, custody::VmIndex vm);
    [[nodiscard]] SecretError open_grant(const secret::SealedSecret& sealed, const secret::Approval& approval, custody::VmIndex vm, ByteView grant);
    [[nodiscard]] SecretError open(const secret::SealedSecret& sealed, const secret::Approval& approval, custody::VmIndex vm, secret::Plaintext& out);
    [[nodiscard]] bool holds_its_devices(custody::VmIndex vm) const;

    Machine& machine_;
    TpmService& tpm_;
    const custody::Custody& custody_;
    custody::CustodyActions& ledger_;
    TpmWaiting& waiting_;
    const measure::Banks& banks_;
};

} // namespace casemate::core
