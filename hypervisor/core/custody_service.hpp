// SPDX-License-Identifier: Apache-2.0
// Custody at work on this machine: joins the state machine of hypervisor/custody to the hardware (device
// slots), the VMs, the TPM with its ledger, and the agent's control device. The only place that knows all of
// them. Everything here runs on the boot core: machine hooks, and the agent's exits, because the agent VM is
// placed there.
#pragma once

#include "hypervisor/core/agent_devices.hpp"
#include "hypervisor/core/device_inventory.hpp"
#include "hypervisor/core/host_io_apic.hpp"
#include "hypervisor/core/host_pci.hpp"
#include "hypervisor/core/launch_ledger.hpp"
#include "hypervisor/core/secret_service.hpp"
#include "hypervisor/core/status.hpp"
#include "hypervisor/core/tpm_service.hpp"
#include "hypervisor/core/vm_measurement.hpp"
#include "hypervisor/custody/custody.hpp"
#include "hypervisor/hw/pci_pins.hpp"

namespace casemate::core {

/// Why a launch ends here; the number is in the console event launch_failure.
enum class CustodyFailure : std::uint8_t {
    no_memory = 60,
    iommu = 61,     // not in the state that the SLB leaves: IommuError follows
    tpm = 62,       // no random numbers
    log = 63,       // the SLB's log cannot be continued
    grant_key = 64, // the policy's key is no point of the curve
    image = 65,     // an image of the policy was not loaded
    agent = 66,     // the agent VM is not on core 0, or its devices do not fit
    management_uart = 67,
    ledger = 68, // the launch could not be recorded
};

class CustodyService final : public MachineHooks,
                             public custody::CustodyActions,
                             public TpmWaiting,
                             public devices::ControlOperations {
public:
    CustodyService(Machine& machine, const policy::Policy& policy);

    /// When all VMs are added and none is loaded: takes over IOMMU, TPM and PCI, measures the images, equips
    /// the agent.
    [[nodiscard]] Status<CustodyFailure> prepare();
    /// When all VMs are loaded: records the launch, opens the gates, starts what is no driver VM.
    [[nodiscard]] Status<CustodyFailure> begin();

    // --- MachineHooks
    [[nodiscard]] bool on_vm_stopped(Vm& vm, StopCause cause, StopReason reason) override;
    void on_snapshot(Vm& vm, const measure::Sha256Digest& digest) override;
    void on_vm_ready(Vm& vm) override;
    void tick(std::uint64_t now_ms) override;
    void on_pci_interrupt(unsigned line) override;

    // --- ControlOperations
    Reply run(std::uint32_t operation, ByteView request, ByteSpan response) override;

    // --- TpmWaiting
    void while_tpm_is_busy() override { fence_lapsed(machine_.now_ms()); }

    // --- CustodyActions
    bool random_nonce(measure::GateNonce& nonce) override { return tpm_.random(nonce).ok(); }
    std::optional<std::uint64_t> tpm_clock() override;
    bool ledger_has_room(std::size_t entries) override {
        return ledger_->has_room(entries, custody::max_routine_event);
    }
    bool record(const measure::LedgerEntry& entry) override;
    custody::ResetProgress start_reset(custody::DeviceIndex device) override;
    bool attach(custody::DeviceIndex device, custody::VmIndex vm) override;
    void detach(custody::DeviceIndex device) override;
    void start_vm(custody::VmIndex vm) override;
    void stop_vm(custody::VmIndex vm, measure::Cause cause) override;

private:
    Status<CustodyFailure> take_over_iommu();
    Status<CustodyFailure> equip_agent();
    [[nodiscard]] custody::DeviceFacts facts_of(custody::DeviceIndex device) const;
    void fence_lapsed(std::uint64_t now_ms);
    void tend_interrupts();
    void step_resets();
    void settle_stops(std::uint64_t now_ms);
    void note_changes();
    Reply submit(ByteView message, ByteSpan response, custody::Seal seal);
    Reply order(ByteView request, ByteSpan response);
    Reply release_secret(ByteView request, ByteView grant, ByteSpan response);
    Reply bootstrap(ByteView request, ByteSpan response);
    Reply read_part(ByteView log, ByteView request, ByteSpan response);

    Machine& machine_;
    const policy::Policy& policy_;
    HostPci pci_;
    HostClock clock_;
    hw::MmioRegisterBlock iommu_registers_;
    std::optional<hw::AmdVi> iommu_;
    std::optional<HostBuses> buses_;
    hw::PciPins<hw::MmioBus> pins_{host_io_apic};
    TpmService tpm_;
    std::optional<LaunchLedger> ledger_;
    DeviceInventory inventory_;
    VmMeasurements measurements_;
    AgentDevices* agent_ = nullptr;
    std::optional<custody::Custody> custody_;
    std::array<bool, policy::max_devices> resetting_{};
    /// A stop of a VM that did not run yet: nobody else will report it.
    struct QuietStop {
        measure::Cause cause = measure::Cause::none;
        std::uint64_t since_ms = 0;
    };
    std::array<QuietStop, policy::max_vms> quiet_stops_{};
    std::uint32_t changes_seen_ = 0;
};

} // namespace casemate::core
