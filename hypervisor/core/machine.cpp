// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/machine.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/core/log.hpp"
#include "hypervisor/core/msr_policy.hpp"
#include "hypervisor/vlink/link.hpp"

#include <algorithm>

namespace casemate::core {
namespace {

constexpr std::uint64_t max_guest_ram = 3ull << 30; // device windows of the virtual platform start there
constexpr std::uint64_t window_bytes = mm::FrameTable::frame_size;

HostRange range_of(launch::Extent extent) { return {HostPhys{extent.base}, extent.size}; }

bool is_named(const launch::Image& image, std::string_view file) {
    std::size_t length = 0;
    while (length < sizeof image.name && image.name[length] != '\0') ++length;
    return std::string_view{image.name, length} == file;
}

VmDefinition definition_of(const Machine& machine, const policy::Vm& vm) {
    return {.name = vm.name.view(),
            .role = static_cast<VmRole>(vm.role),
            .kernel = machine.image(vm.kernel.view()),
            .initrd = machine.image(vm.initrd.view()),
            .command_line = vm.command_line.view(),
            .memory_bytes = std::uint64_t{vm.memory_mib} << 20,
            .core = vm.core,
            .dedicated = vm.placement == policy::Placement::dedicated,
            .weight = vm.weight,
            .cap_percent = vm.cap};
}

bool refuse(std::string_view vm, std::string_view why) {
    LogLine{"@cm event=vm_refused"}.key("vm", vm).key("why", why);
    return false;
}

} // namespace

void Machine::adopt(const launch::BootInfo& boot) {
    boot_ = boot;
    tcb_memory_ = mm::TcbMemory{boot.tcb_free};
    std::array<HostRange, launch::max_memory_ranges> usable{};
    std::size_t count = 0;
    for (const launch::MemoryRange& range : std::span{boot_.memory, boot_.memory_range_count})
        if (range.kind == launch::MemoryKind::usable) usable[count++] = range_of(range.bytes);
    frames_.add_usable({usable.data(), count});
    frames_.claim(range_of(boot_.tcb), mm::FrameOwner::tcb);
    frames_.claim(range_of(boot_.slb), mm::FrameOwner::tcb);
    for (const launch::Image& image : std::span{boot_.images, boot_.image_count})
        if (image.bytes.size != 0) frames_.claim(range_of(image.bytes), mm::FrameOwner::image);
}

bool Machine::make_msr_maps() {
    msr_map_ = tcb_memory_.make<mm::MsrPermissionMap>();
    direct_msr_map_ = tcb_memory_.make<mm::MsrPermissionMap>();
    if (msr_map_ == nullptr || direct_msr_map_ == nullptr) return false;
    msr_map_->intercept_all();
    for (const std::uint32_t msr : guest_owned_msrs) msr_map_->allow_read_write(msr);
    *direct_msr_map_ = *msr_map_;
    for (const MsrRange& range : direct_msrs)
        for (std::uint32_t i = 0; i < range.count; ++i) direct_msr_map_->allow_read_write(range.first + i);
    return true;
}

ByteView Machine::image(std::string_view file) const {
    for (const launch::Image& image : std::span{boot_.images, boot_.image_count}) {
        // SAFETY: an extent that the SLB checked; its frames are claimed and mapped.
        if (is_named(image, file))
            return {reinterpret_cast<const std::uint8_t*>(image.bytes.base), image.bytes.size};
    }
    return {};
}

std::uint64_t Machine::now_ms() const {
    return (arch::read_tsc() - boot_.launch_tsc) / arch::clock_rates().tsc_khz;
}

bool Machine::prepare_cpus(unsigned count) {
    CHECK(count <= max_cpus);
    for (unsigned i = 0; i < count; ++i) {
        const auto host_vmcb = tcb_memory_.allocate(sizeof(Vmcb), page_size);
        const auto save_page = tcb_memory_.allocate(page_size, page_size);
        if (!host_vmcb || !save_page) return false;
        cpus_[i] = tcb_memory_.make<Cpu>(*this, i, *reinterpret_cast<Vmcb*>(host_vmcb->value), *save_page);
        if (cpus_[i] == nullptr) return false;
    }
    return true;
}

bool Machine::adopt_cpu(unsigned index) { return cpus_[index]->prepare(); }

bool Machine::allocate(const VmDefinition& definition, mm::FrameOwner owner, VmResources& resources) {
    const auto frames = frames_.allocate(definition.memory_bytes + window_bytes, owner);
    const auto vmcb = tcb_memory_.allocate(sizeof(Vmcb), page_size);
    const auto fpu_area = tcb_memory_.allocate(Vcpu::fpu_area_size, page_size);
    resources.io_map = tcb_memory_.make<mm::IoPermissionMap>();
    if (!frames || !vmcb || !fpu_area || resources.io_map == nullptr) return false;
    resources.ram = {frames.value().base, definition.memory_bytes};
    resources.windows = {resources.ram.end(), window_bytes};
    resources.vmcb = reinterpret_cast<Vmcb*>(vmcb->value);
    resources.fpu_area = reinterpret_cast<std::uint8_t*>(fpu_area->value);
    resources.msr_map = msr_map_;
    resources.direct_msr_map = direct_msr_map_;
    resources.io_map->intercept_all();
    return true;
}

/// As much memory again as the VM has, which no VM can reach.
bool Machine::reserve_snapshot(VmResources& resources) {
    const ByteSpan ram{reinterpret_cast<std::uint8_t*>(resources.ram.base.value), resources.ram.size};
    const std::size_t words = mm::RamCopy::words_for(ram.size());
    const auto frames = frames_.allocate(ram.size(), mm::FrameOwner::tcb);
    const auto kept = tcb_memory_.allocate(words * sizeof(std::uint64_t), sizeof(std::uint64_t));
    if (!frames || !kept) return false;
    // SAFETY: frames of the hypervisor's own, and of the VM; both are mapped at their own addresses.
    const ByteSpan store{reinterpret_cast<std::uint8_t*>(frames.value().base.value), ram.size()};
    const mm::RamCopy copy{store, {reinterpret_cast<std::uint64_t*>(kept->value), words}};
    resources.snapshot = tcb_memory_.make<Snapshot>(ram, copy);
    return resources.snapshot != nullptr;
}

bool Machine::add_vm(const policy::Vm& source) {
    const VmDefinition definition = definition_of(*this, source);
    if (definition.kernel.empty() || definition.initrd.empty())
        return refuse(definition.name, "image_missing");
    if (definition.core >= cpu_count_) return refuse(definition.name, "core_missing"); // it might be another's own
    if (definition.memory_bytes > max_guest_ram) return refuse(definition.name, "memory");
    VmResources resources;
    const mm::FrameOwner owner = mm::vm_owner(vm_count_);
    if (!allocate(definition, owner, resources)) return refuse(definition.name, "no_memory");
    if (source.restart == policy::Restart::warm && !reserve_snapshot(resources))
        return refuse(definition.name, "no_memory_for_snapshot");
    auto table = Vm::PageTable::create(tcb_memory_, frames_, owner);
    if (!table || !table.value().map_ram(GuestPhys{0}, resources.ram).ok())
        return refuse(definition.name, "page_table");
    Cpu& core = *cpus_[definition.core];
    Vm* const vm = tcb_memory_.make<Vm>(vm_count_, definition, core, table.value(), resources);
    if (vm == nullptr) return refuse(definition.name, "no_memory");
    vms_[vm_count_++] = vm;
    core.place(*vm);
    LogLine{"@cm event=vm_defined"}.key("vm", vm->name()).key("role", static_cast<unsigned>(definition.role)).key("core", core.index())
        .key("memory_mib", source.memory_mib);
    return true;
}

bool Machine::add_link(unsigned number, const policy::Link& link) {
    Vm &first = *vms_[link.first], &second = *vms_[link.second];
    const auto owner = [](Vm& vm) { return vlink::End::Owner{vm, vm.memory(), vm.link_count()}; };
    auto* const made = tcb_memory_.make<vlink::Link>(number, owner(first), owner(second));
    if (made == nullptr || !first.add_link(made->end(0)) || !second.add_link(made->end(1)))
        return refuse(first.name(), "link");
    links_[link_count_++] = made;
    LogLine{"@cm event=link_defined"}.key("link", number).key("first", first.name()).key("second", second.name());
    return true;
}

bool Machine::define_vms(const policy::Policy& policy) {
    if (!make_msr_maps()) return refuse("", "no_memory");
    for (const policy::Vm& vm : std::span{policy.vms.data(), policy.vm_count})
        if (!add_vm(vm)) return false;
    for (unsigned i = 0; i < policy.link_count; ++i)
        if (!add_link(i, policy.links[i])) return false;
    for (Cpu* const cpu : cpus()) cpu->assign_vector_windows();
    return true;
}

void Machine::service() {
    for (Vm* const vm : vms()) {
        const VmState state = vm->state();
        const VmState before = std::exchange(seen_[vm->index()], state);
        if (state == VmState::parked) {
            const bool warm = hooks_ != nullptr && hooks_->on_vm_stopped(*vm, vm->stop_cause(), vm->stop_reason());
            vm->devices_released(warm);
            vm->core().kick();
        } else if (state == VmState::ready && before != state && hooks_ != nullptr) {
            hooks_->on_vm_ready(*vm);
        }
        if (hooks_ != nullptr && vm->snapshot() != nullptr && !std::exchange(snapshot_seen_[vm->index()], true))
            hooks_->on_snapshot(*vm, vm->snapshot()->digest());
    }
    const std::uint64_t now = now_ms();
    if (hooks_ == nullptr || now < next_tick_) return;
    next_tick_ = now + tick_interval_ms;
    for (Cpu* const cpu : cpus()) cpu->beat(now);
    hooks_->tick(now);
}

} // namespace casemate::core
