// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/custody_service.hpp"

#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/core/cpu.hpp"
#include "hypervisor/core/custody_events.hpp"
#include "hypervisor/core/log.hpp"
#include "hypervisor/core/log_device.hpp"
#include "hypervisor/core/management_uart.hpp"

#include <algorithm>

namespace casemate::core {

namespace {

using custody::DeviceIndex;
using custody::VmIndex;
using devices::ControlStatus;

constexpr std::size_t max_log_read = 64 * 1024;
constexpr std::uint64_t seal_refused = 64; // and a SecretError: the answer to a bootstrap grant whose seal stays closed
constexpr std::uint64_t quiet_stop_ms = 50; // more than a core needs to notice a start or a stop

// SAFETY: TCB memory of BootInfo, mapped at its own address; the SLB made the tables there.
template <typename Entry>
std::span<Entry> table_at(const launch::Extent& extent) {
    return {reinterpret_cast<Entry*>(extent.base), extent.size / sizeof(Entry)};
}

devices::ControlOperations::Reply verdict(std::uint64_t error, ByteSpan response) {
    CborWriter cbor{response};
    cbor.map(1);
    cbor.key(0).u64(error);
    return {error == 0 ? ControlStatus::ok : ControlStatus::refused, cbor.size()};
}

} // namespace

CustodyService::CustodyService(Machine& machine, const policy::Policy& policy)
    : machine_{machine}, policy_{policy}, iommu_registers_{HostPhys{machine.boot().iommu_base}}, tpm_{clock_, *this} {}

Status<CustodyFailure> CustodyService::prepare() {
    TRY(take_over_iommu());
    ledger_ = LaunchLedger::resume(machine_.boot(), tpm_);
    if (!ledger_) return Failure{CustodyFailure::log};
    measure::LaunchId launch_id{};
    if (!tpm_.random(launch_id).ok()) return Failure{CustodyFailure::tpm};
    const auto grant_keys = grant::Keys::create(policy_.grant_key, policy_.has_next_grant_key(), policy_.next_grant_key);
    if (!grant_keys.ok()) return Failure{CustodyFailure::grant_key};
    custody_.emplace(*this, policy_, grant_keys.value(), custody::Launch{launch_id, machine_.boot().kind});
    inventory_.build(machine_, *buses_, policy_);
    if (!measurements_.measure(machine_, policy_)) return Failure{CustodyFailure::image};
    return equip_agent();
}

Status<CustodyFailure> CustodyService::take_over_iommu() {
    const launch::BootInfo& boot = machine_.boot();
    const auto completion = machine_.tcb_memory().allocate(sizeof(std::uint64_t), sizeof(std::uint64_t));
    if (!completion) return Failure{CustodyFailure::no_memory};
    const auto iommu = hw::AmdVi::adopt(
        iommu_registers_, clock_,
        {.table = table_at<hw::DeviceTableEntry>(boot.device_table),
         .table_at = {boot.device_table.base},
         .ring = table_at<hw::IommuCommand>(boot.iommu_commands),
         .ring_at = {boot.iommu_commands.base},
         .completion = reinterpret_cast<std::uint64_t*>(completion->value), // SAFETY: TCB memory of our own
         .completion_at = *completion});
    if (!iommu.ok()) {
        LogLine{"@cm event=iommu_refused"}.key("error", static_cast<unsigned>(iommu.error()));
        return Failure{CustodyFailure::iommu};
    }
    iommu_ = iommu.value();
    buses_.emplace(HostBuses{pci_, *iommu_, clock_});
    return Done{};
}

Status<CustodyFailure> CustodyService::equip_agent() {
    for (std::size_t i = 0; i < policy_.vm_count; ++i) {
        if (policy_.vms[i].role != policy::Role::agent) continue;
        Vm& vm = *machine_.vms()[i];
        agent_ = AgentDevices::create(machine_, vm, policy_, tpm_, *this);
        if (agent_ == nullptr) return Failure{CustodyFailure::agent};
        if (!take_over_io_apic(machine_, *iommu_)) return Failure{CustodyFailure::management_uart};
        give_management_uart(vm);
        return Done{};
    }
    return Failure{CustodyFailure::agent};
}

Status<CustodyFailure> CustodyService::begin() {
    std::array<ByteView, policy::max_vms> definitions;
    std::array<custody::DeviceFacts, policy::max_devices> devices;
    for (VmIndex i = 0; i < policy_.vm_count; ++i) definitions[i] = measurements_.definition(i);
    for (DeviceIndex i = 0; i < policy_.device_count; ++i) devices[i] = facts_of(i);
    agent_->reset();
    machine_.set_hooks(*this);
    if (!custody_->begin(std::span{definitions}.first(policy_.vm_count), std::span{devices}.first(policy_.device_count)))
        return Failure{CustodyFailure::ledger};
    note_changes();
    return Done{};
}

custody::DeviceFacts CustodyService::facts_of(DeviceIndex device) const {
    const DeviceSlot* slot = inventory_.slot(device);
    custody::DeviceFacts facts;
    facts.identity.address = policy_.devices[device].address;
    if (slot == nullptr) return facts;
    const hw::PciIdentity& identity = slot->function().identity;
    facts.present = true;
    facts.identity = {.address = slot->function().address, .vendor = identity.vendor, .device_id = identity.device,
                      .subsystem_vendor = identity.subsystem_vendor, .subsystem_id = identity.subsystem, .device_class = identity.class_code};
    // Every requester on bus 0 has a table entry of its own: its group is its requester id.
    facts.isolation = {.dma_remapping = true, .interrupt_remapping = true,
                       .reset_kind = static_cast<measure::ResetKind>(slot->reset_kind()), .group = slot->function().address.requester_id()};
    return facts;
}

bool CustodyService::on_vm_stopped(Vm& vm, StopCause cause, StopReason reason) {
    quiet_stops_[vm.index()] = {}; // this is it
    custody_->vm_stopped(vm.index(), cause, static_cast<std::uint64_t>(reason));
    note_changes();
    return custody_->vm(vm.index()).warm;
}

void CustodyService::on_snapshot(Vm& vm, const measure::Sha256Digest& digest) {
    custody_->snapshot_taken(vm.index(), digest);
    note_changes();
}

void CustodyService::on_vm_ready(Vm& vm) {
    if (policy_.vms[vm.index()].role == policy::Role::agent) agent_->reset();
    custody_->vm_ready(vm.index());
    note_changes();
}

void CustodyService::tick(std::uint64_t) {
    const std::uint64_t now = machine_.now_ms();
    fence_lapsed(now);
    custody_->tick(now);
    tend_interrupts();
    step_resets();
    settle_stops(now);
    agent_->crb().poll();
    note_changes();
}

/// ORDER: before anything that may wait for the TPM, and while it waits for a command of the agent, which may
/// last seconds. Custody takes the rest of the way.
void CustodyService::fence_lapsed(std::uint64_t now) {
    for (DeviceIndex i = 0; i < policy_.device_count; ++i) {
        const custody::DeviceRecord& device = custody_->device(i);
        DeviceSlot* slot = inventory_.slot(i);
        if (!device.granted() || now < device.lapses_at() || slot == nullptr || slot->fenced()) continue;
        slot->fence();
        LogLine{"@cm event=lease_lapsed"}.key("device", DeviceName{policy_.devices[i].address}.view()).key("fenced_ms", machine_.now_ms())
            .key("deadline_ms", device.deadline);
    }
}

void CustodyService::on_pci_interrupt(unsigned line) {
    bool claimed = false;
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (DeviceSlot* const slot = inventory_.slot(i)) claimed = slot->take_interrupt() || claimed;
    pins_.on_interrupt(line, claimed);
}

void CustodyService::tend_interrupts() {
    bool wanted = false;
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (DeviceSlot* const slot = inventory_.slot(i)) wanted = slot->tend_interrupt() || wanted;
    pins_.tend(wanted);
}

void CustodyService::step_resets() {
    for (DeviceIndex i = 0; i < policy_.device_count; ++i) {
        if (!resetting_[i]) continue;
        const DeviceSlot::Reset progress = inventory_.slot(i)->step_reset();
        if (progress == DeviceSlot::Reset::running) continue;
        resetting_[i] = false;
        custody_->reset_done(i, progress == DeviceSlot::Reset::worked);
    }
}

/// A VM that was asked to stop before its core had started it is never parked; and one whose images do not
/// fit never starts. Custody hears of both here.
void CustodyService::settle_stops(std::uint64_t now) {
    for (VmIndex i = 0; i < policy_.vm_count; ++i) {
        const VmState state = machine_.vms()[i]->state();
        QuietStop& stop = quiet_stops_[i];
        if (state == VmState::unusable)
            custody_->vm_stopped(i, measure::Cause::vm_crashed, static_cast<std::uint64_t>(StopReason::image_refused));
        if (machine_.vms()[i]->lives() || state == VmState::parked) stop = {};
        if (stop.cause == measure::Cause::none || now < stop.since_ms + quiet_stop_ms) continue;
        custody_->vm_stopped(i, stop.cause, static_cast<std::uint64_t>(StopReason::requested));
        if (state == VmState::ready) custody_->vm_ready(i);
        stop = {};
    }
}

void CustodyService::note_changes() {
    if (custody_->changes() == changes_seen_) return;
    changes_seen_ = custody_->changes();
    agent_->control().count_event();
}

std::optional<std::uint64_t> CustodyService::tpm_clock() {
    const auto clock = tpm_.clock();
    return clock.ok() ? std::optional{clock.value()} : std::nullopt;
}

bool CustodyService::record(const measure::LedgerEntry& entry) {
    if (!ledger_->append(entry, machine_.now_ms())) return false;
    log_entry(entry, machine_.now_ms(), policy_, measurements_);
    return true;
}

custody::ResetProgress CustodyService::start_reset(DeviceIndex device) {
    DeviceSlot& slot = *inventory_.slot(device); // custody opens gates for present devices only
    slot.fence();
    if (slot.reset_kind() == hw::ResetKind::none) return custody::ResetProgress::worked;
    if (!slot.start_reset()) return custody::ResetProgress::failed;
    resetting_[device] = true;
    return custody::ResetProgress::pending;
}

bool CustodyService::attach(DeviceIndex device, VmIndex vm) {
    return inventory_.slot(device)->attach(*machine_.vms()[vm]);
}

void CustodyService::detach(DeviceIndex device) {
    inventory_.slot(device)->fence();
    inventory_.slot(device)->release();
}

void CustodyService::start_vm(VmIndex vm) { machine_.vms()[vm]->start(); }

/// The devices of a VM that must stop are fenced at once: it may take its core a moment to notice.
void CustodyService::stop_vm(VmIndex vm, measure::Cause cause) {
    for (DeviceIndex i = 0; i < policy_.device_count; ++i)
        if (inventory_.slot(i) != nullptr && inventory_.slot(i)->holder() == machine_.vms()[vm]) inventory_.slot(i)->fence();
    if (cause == measure::Cause::none) cause = measure::Cause::operator_order; // the core takes "none" for no request
    if (!machine_.vms()[vm]->lives()) quiet_stops_[vm] = {cause, machine_.now_ms()};
    machine_.vms()[vm]->stop(cause);
}

CustodyService::Reply CustodyService::run(std::uint32_t operation, ByteView request, ByteSpan response) {
    const StatusSources sources{machine_, *custody_, machine_.now_ms()};
    const auto reply = [](std::size_t size) {
        return Reply{size != 0 ? ControlStatus::ok : ControlStatus::length, size};
    };
    switch (operation) {
    case 1:
        return reply(write_info(response, sources, ledger_->log().size(), agent_->control().events(), ledger_->banks()));
    case 2: return read_part(ledger_->log(), request, response);
    case 3: return reply(write_gates(response, sources));
    case 4: return submit(request, response, custody::Seal::none);
    case 5: return reply(write_status(response, sources));
    case 6: return reply(write_leases(response, sources));
    case 7: return order(request, response);
    case 8: return release_secret(request, {}, response);
    case 9: return bootstrap(request, response);
    case 10: return read_part(machine_.image(launch::firmware_log_name), request, response);
    default: return {ControlStatus::unknown_operation, 0};
    }
}

CustodyService::Reply CustodyService::read_part(ByteView log, ByteView request, ByteSpan response) {
    LittleEndianReader in{request};
    const std::size_t offset = in.u32(); // UNTRUSTED
    if (!in.finished() || offset > log.size()) return {ControlStatus::length, 0};
    const ByteView part = log.subspan(offset, std::min(max_log_read, log.size() - offset));
    std::ranges::copy(part, response.begin());
    return {ControlStatus::ok, part.size()};
}

CustodyService::Reply CustodyService::submit(ByteView message, ByteSpan response, custody::Seal seal) {
    tpm_.settle_agent(); // before the time is looked at: what is fenced meanwhile has lapsed and is not renewed
    fence_lapsed(machine_.now_ms());
    const grant::GrantError error = custody_->submit(message, machine_.now_ms(), seal);
    if (error != grant::GrantError::none) LogLine{"@cm event=grant_refused"}.key("reason", static_cast<unsigned>(error));
    note_changes();
    return verdict(static_cast<std::uint64_t>(error), response);
}

CustodyService::Reply CustodyService::release_secret(ByteView request, ByteView grant, ByteSpan response) {
    tpm_.settle_agent();
    fence_lapsed(machine_.now_ms());
    SecretService secrets{machine_, tpm_, *custody_, *this, *this, ledger_->banks()};
    const SecretError error = secrets.release(request, grant);
    if (error == SecretError::none && !grant.empty()) return submit(grant, response, custody::Seal::opened);
    return verdict((grant.empty() ? 0 : seal_refused) + static_cast<std::uint64_t>(error), response);
}

/// UNTRUSTED: the size of a bootstrap grant (u32), the grant, its seal as a secret's.
CustodyService::Reply CustodyService::bootstrap(ByteView request, ByteSpan response) {
    LittleEndianReader in{request};
    const ByteView grant = in.bytes(in.u32());
    if (!in.ok() || grant.empty()) return {ControlStatus::length, 0};
    return release_secret(in.bytes(in.remaining()), grant, response);
}

/// UNTRUSTED: an order and the name of a VM.
CustodyService::Reply CustodyService::order(ByteView request, ByteSpan response) {
    LittleEndianReader in{request};
    const auto order = static_cast<custody::Order>(in.u32());
    const ByteView name = in.bytes(in.remaining());
    if (name.empty()) return {ControlStatus::length, 0};
    VmIndex vm = 0;
    while (vm < policy_.vm_count && !std::ranges::equal(policy_.vms[vm].name.view(), name)) ++vm;
    fence_lapsed(machine_.now_ms()); // nothing starts under a lease that has lapsed since the last tick
    custody_->tick(machine_.now_ms());
    const custody::OrderError error = custody_->order(vm, order);
    LogLine{"@cm event=operator_order"}.key("vm", vm < policy_.vm_count ? policy_.vms[vm].name.view() : "unknown")
        .key("order", static_cast<unsigned>(order)).key("error", static_cast<unsigned>(error));
    note_changes();
    return verdict(static_cast<std::uint64_t>(error), response);
}

} // namespace casemate::core
