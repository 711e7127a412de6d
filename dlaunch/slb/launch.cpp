// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/launch.hpp"

#include "dlaunch/slb/console.hpp"
#include "dlaunch/slb/iommu_search.hpp"
#include "dlaunch/slb/measured_launch.hpp"
#include "dlaunch/slb/page_tables.hpp"
#include "dlaunch/slb/physical.hpp"
#include "dlaunch/slb/relocations.hpp"
#include "hypervisor/hw/mmio.hpp"
#include "hypervisor/hw/pci_config.hpp"
#include "hypervisor/hw/tsc_clock.hpp"

#include <cstring>
#include <new>

extern "C" {
extern std::uint64_t early_root[512];                    // entry.S: the root of the tables that we run on
extern const std::uint8_t jump_code[], jump_code_end[]; // entry.S
extern const std::uint64_t relocations_start[], relocations_end[]; // slb.lds
}

namespace casemate::slb {

namespace {

using launch::BootInfo;
using launch::Extent;
using launch::LaunchParams;

constexpr std::size_t ring_entries = 256;
constexpr std::size_t fence_entries = page_size / sizeof(hw::DeviceTableEntry);

// What the SLB needs before it owns memory outside its 64 KiB, out of reach of every device. slb.lds places them.
[[gnu::section(".bss.fence_table")]] alignas(page_size) std::array<hw::DeviceTableEntry, fence_entries> fence_table;
[[gnu::section(".bss.fence_ring")]] alignas(page_size) std::array<hw::IommuCommand, hw::ring_use> fence_ring;
constinit std::uint64_t fence_completion = 0;

static_assert(sizeof(BootInfo) <= boot_info_size);

Extent to_extent(HostRange range) { return {range.base.value, range.size}; }

class Launch {
public:
    Launch(HostPhys slb, std::uint64_t tsc, const hw::TscClock& clock)
        : slb_{slb, launch::slb_region_size}, tsc_{tsc}, clock_{clock} {}

    Status<LaunchFailure> run() {
        TRY(fence_dma());
        TRY(accept_params());
        TRY(switch_device_table());
        copy_files();
        TRY(measure());
        const ElfImage elf = TRY(load());
        enter(elf);
    }

private:
    Status<LaunchFailure> fence_dma();
    Status<LaunchFailure> accept_params();
    Status<LaunchFailure> accept_contents(std::span<const launch::MemoryRange> map,
                                          std::span<const launch::Image> images) const;
    Status<LaunchFailure> switch_device_table();
    void copy_files();
    Status<LaunchFailure> measure();
    [[nodiscard]] ByteView measured_image() const;
    Result<ElfImage, LaunchFailure> load();
    void fill_boot_info(const ElfImage& elf);
    [[noreturn]] void enter(const ElfImage& elf);

    [[nodiscard]] PlatformFacts facts() const;
    [[nodiscard]] hw::DenyTables fence_tables() const;
    [[nodiscard]] hw::DenyTables full_tables() const;

    HostRange slb_;
    std::uint64_t tsc_;
    const hw::TscClock& clock_;
    HostRange iommu_{};
    LaunchParams params_{};
    BootInfo* info_ = nullptr; // in TCB memory
    TcbLayout tcb_{};
    HostRange raw_hypervisor_{}; // our copy
    HostRange raw_policy_{};     // our copy
};

hw::DenyTables Launch::fence_tables() const {
    return {fence_table,          address_of(&fence_table), fence_ring, address_of(&fence_ring), &fence_completion,
            address_of(&fence_completion)};
}

hw::DenyTables Launch::full_tables() const {
    return {{object_at<hw::DeviceTableEntry>(tcb_.device_table), hw::device_table_entries},
            tcb_.device_table,
            {object_at<hw::IommuCommand>(tcb_.command_ring), ring_entries},
            tcb_.command_ring,
            object_at<std::uint64_t>(tcb_.completion),
            tcb_.completion};
}

Status<LaunchFailure> Launch::fence_dma() {
    hw::PortPciBus pci;
    const auto found = find_iommu(pci);
    if (!found.ok())
        return Failure{found.error() == SearchError::none ? LaunchFailure::iommu_missing
                                                          : LaunchFailure::iommu_several};
    iommu_ = found.value();
    hw::MmioRegisterBlock registers{iommu_.base};
    const auto fenced = hw::fence(registers, clock_, fence_tables());
    if (!fenced.ok()) return Failure{failure_of(fenced.error())};
    EventLine{"iommu_deny"}.number("stage", 1).hex("base", iommu_.base.value).number("tsc", arch::read_tsc());
    return Done{};
}

PlatformFacts Launch::facts() const {
    constexpr std::uint32_t top_mem = 0xc001001a, top_mem2 = 0xc001001d;
    return {slb_, iommu_, {arch::read_msr(top_mem)}, {arch::read_msr(top_mem2)}};
}

/// UNTRUSTED: params and both arrays. Checked where they lie, to know that the TCB region may be written at all;
/// then copied there, and the copies are checked: they are what counts.
Status<LaunchFailure> Launch::accept_params() {
    const auto* header = object_at<const launch::SlbHeader>(slb_.base);
    std::memcpy(&params_, object_at<const LaunchParams>(slb_.base + header->params_offset), sizeof params_);
    const auto header_check = check_header(params_, facts());
    if (!header_check.ok()) return Failure{failure_of(header_check.error())};
    const std::span map{object_at<const launch::MemoryRange>({params_.memory_map}), params_.memory_range_count};
    const std::span images{object_at<const launch::Image>({params_.images}), params_.image_count};
    TRY(accept_contents(map, images));
    tcb_ = TcbLayout::of(to_range(params_.tcb));
    info_ = object_at<BootInfo>(tcb_.boot_info);
    std::memset(info_, 0, sizeof *info_);
    std::memcpy(info_->memory, map.data(), map.size_bytes());
    std::memcpy(info_->images, images.data(), images.size_bytes());
    info_->memory_range_count = params_.memory_range_count;
    info_->image_count = params_.image_count;
    return accept_contents({info_->memory, map.size()}, {info_->images, images.size()});
}

Status<LaunchFailure> Launch::accept_contents(std::span<const launch::MemoryRange> map,
                                              std::span<const launch::Image> images) const {
    const auto checked = check_contents(params_, map, images, facts());
    if (!checked.ok()) return Failure{failure_of(checked.error())};
    return Done{};
}

Status<LaunchFailure> Launch::switch_device_table() {
    hw::MmioRegisterBlock registers{iommu_.base};
    const auto switched = hw::switch_tables(registers, clock_, fence_tables(), full_tables());
    if (!switched.ok()) return Failure{failure_of(switched.error())};
    EventLine{"iommu_deny"}.number("stage", 2).number("tsc", arch::read_tsc());
    return Done{};
}

/// From here on only our copies are read: no device and no other processor can change them.
void Launch::copy_files() {
    raw_hypervisor_ = {tcb_.end - params_.hypervisor.size, params_.hypervisor.size};
    raw_policy_ = {tcb_.policy, params_.policy.size};
    std::memcpy(bytes_at(raw_hypervisor_).data(), bytes_at(to_range(params_.hypervisor)).data(), raw_hypervisor_.size);
    std::memcpy(bytes_at(raw_policy_).data(), bytes_at(to_range(params_.policy)).data(), raw_policy_.size);
}

/// The SLB's bytes as SKINIT saw them: a copy in free TCB memory with the relocations taken back.
ByteView Launch::measured_image() const {
    const std::size_t length = object_at<const launch::SlbHeader>(slb_.base)->length;
    const ByteSpan copy = bytes_at({tcb_.free, length});
    std::memcpy(copy.data(), object_at<const void>(slb_.base), length);
    take_back_relocations(copy, {relocations_start, relocations_end}, slb_.base.value);
    return copy;
}

Status<LaunchFailure> Launch::measure() {
    // In TCB memory behind the copy of the image: its buffers are large, and the stack has 8 KiB.
    Tpm& tpm = *new (object_at<void>(tcb_.free + launch::slb_region_size)) Tpm{clock_};
    const LaunchMaterial material{measured_image(), bytes_at(raw_hypervisor_), bytes_at(raw_policy_),
                                  bytes_at({tcb_.log, log_size})};
    TRY(measure_launch(tpm, material, *info_));
    EventLine{"measured"}
        .number("kind", static_cast<std::uint32_t>(info_->kind))
        .number("banks", info_->tpm_bank_count)
        .number("tsc", arch::read_tsc());
    return Done{};
}

Result<ElfImage, LaunchFailure> Launch::load() {
    const ByteView raw = bytes_at(raw_hypervisor_);
    const auto parsed = ElfImage::parse(raw, image_window - page_size);
    if (!parsed.ok()) return Failure{LaunchFailure::hypervisor_form};
    const ElfImage& elf = parsed.value();
    std::memset(bytes_at({tcb_.image, image_window}).data(), 0, image_window);
    for (const ElfSegment& segment : std::span{elf.segments}.first(elf.segment_count))
        std::memcpy(bytes_at({tcb_.image + segment.offset, segment.file_size}).data(), raw.data() + segment.file_offset,
                    segment.file_size);
    return elf;
}

void Launch::fill_boot_info(const ElfImage& elf) {
    BootInfo& info = *info_;
    info.magic = launch::boot_magic;
    info.version = launch::layout_version;
    info.size = sizeof info;
    info.tcb = params_.tcb;
    info.slb = to_extent(slb_);
    info.hypervisor = {tcb_.image.value, elf.size};
    info.tcb_free = {tcb_.free.value, tcb_.end - tcb_.free};
    info.log = {tcb_.log.value, log_size};
    info.iommu_base = iommu_.base.value;
    info.device_table = {tcb_.device_table.value, device_table_size};
    info.iommu_commands = {tcb_.command_ring.value, page_size};
    info.launch_tsc = tsc_;
}

/// Goes on in the page of the jump, which both sets of page tables map at one virtual address.
void Launch::enter(const ElfImage& elf) {
    fill_boot_info(elf);
    std::memcpy(object_at<void>(tcb_.jump_page), jump_code, static_cast<std::size_t>(jump_code_end - jump_code));
    const std::span<PageTable, page_table_pages> pages{object_at<PageTable>(tcb_.page_tables), page_table_pages};
    const PageTableRoots roots = build_page_tables(pages, tcb_.page_tables, {elf, tcb_.image, tcb_.jump_page});
    early_root[511] = roots.upper;
    EventLine{"enter"}.hex("entry", elf.entry).number("tsc", arch::read_tsc());
    constexpr std::uint64_t jump = link_base + image_window - page_size;
    // SAFETY: the tables map `jump` to the page of the jump, executable; it never returns.
    asm volatile("jmp *%0" ::"r"(jump), "D"(tcb_.boot_info.value), "S"(elf.entry), "d"(roots.root.value) : "memory");
    __builtin_unreachable();
}

} // namespace

LaunchFailure launch(HostPhys slb, std::uint64_t tsc, const hw::TscClock& clock) {
    return Launch{slb, tsc, clock}.run().error();
}

} // namespace casemate::slb
