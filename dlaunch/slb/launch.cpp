// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/launch.hpp"

#include "dlaunch/slb/console.hpp"
#include "dlaunch/slb/iommu_search.hpp"
#include "dlaunch/slb/page_tables.hpp"
#include "dlaunch/slb/physical.hpp"
#include "hypervisor/hw/mmio.hpp"
#include "hypervisor/hw/pci_config.hpp"
#include "hypervisor/hw/tsc_clock.hpp"

#include <cstring>

extern "C" {
extern std::uint64_t early_root[512];                    // entry.S: the root of the tables that we run on
extern const std::uint8_t jump_code[], jump_code_end[]; // entry.S
}

namespace casemate::slb {

namespace {

using launch::BootInfo;
using launch::Extent;
using launch::LaunchParams;

constexpr std::size_t ring_entries = 256;
constexpr std::size_t fence_entries = page_size / sizeof(hw::DeviceTableEntry);

/// What the SLB needs before it owns memory outside its 64 KiB. In .bss, out of reach of every device.
struct Workspace {
    alignas(page_size) std::array<hw::DeviceTableEntry, fence_entries> fence_table;
    alignas(page_size) std::array<hw::IommuCommand, ring_entries> fence_ring;
    std::uint64_t completion;
    LaunchParams params;
    BootInfo info;
};
constinit Workspace workspace{};
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
        const ElfImage elf = TRY(load());
        enter(elf);
    }

private:
    Status<LaunchFailure> fence_dma();
    Status<LaunchFailure> accept_params();
    Status<LaunchFailure> switch_device_table();
    void copy_files();
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
    TcbLayout tcb_{};
    HostRange raw_hypervisor_{}; // our copy
    HostRange raw_policy_{};     // our copy
};

hw::DenyTables Launch::fence_tables() const {
    return {workspace.fence_table,
            address_of(&workspace.fence_table),
            workspace.fence_ring,
            address_of(&workspace.fence_ring),
            &workspace.completion,
            address_of(&workspace.completion)};
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

/// UNTRUSTED: params and both arrays. Each is copied once into our own memory, then checked there.
Status<LaunchFailure> Launch::accept_params() {
    const auto* header = object_at<const launch::SlbHeader>(slb_.base);
    LaunchParams& params = workspace.params;
    std::memcpy(&params, object_at<const LaunchParams>(slb_.base + header->params_offset), sizeof params);
    const auto header_check = check_header(params, facts());
    if (!header_check.ok()) return Failure{failure_of(header_check.error())};
    BootInfo& info = workspace.info;
    info.memory_range_count = params.memory_range_count;
    info.image_count = params.image_count;
    std::memcpy(info.memory, object_at<const void>({params.memory_map}), params.memory_range_count * sizeof *info.memory);
    std::memcpy(info.images, object_at<const void>({params.images}), params.image_count * sizeof *info.images);
    const auto contents = check_contents(params, {info.memory, info.memory_range_count},
                                         {info.images, info.image_count}, facts());
    if (!contents.ok()) return Failure{failure_of(contents.error())};
    tcb_ = TcbLayout::of(to_range(params.tcb));
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
    const LaunchParams& params = workspace.params;
    raw_hypervisor_ = {tcb_.end - params.hypervisor.size, params.hypervisor.size};
    raw_policy_ = {tcb_.policy, params.policy.size};
    std::memcpy(bytes_at(raw_hypervisor_).data(), bytes_at(to_range(params.hypervisor)).data(), raw_hypervisor_.size);
    std::memcpy(bytes_at(raw_policy_).data(), bytes_at(to_range(params.policy)).data(), raw_policy_.size);
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
    BootInfo& info = workspace.info;
    info.magic = launch::boot_magic;
    info.version = launch::layout_version;
    info.size = sizeof info;
    info.tcb = workspace.params.tcb;
    info.slb = to_extent(slb_);
    info.hypervisor = {tcb_.image.value, elf.size};
    info.tcb_free = {tcb_.free.value, tcb_.end - tcb_.free};
    info.log = {tcb_.log.value, log_size};
    info.iommu_base = iommu_.base.value;
    info.device_table = {tcb_.device_table.value, device_table_size};
    info.iommu_commands = {tcb_.command_ring.value, page_size};
    info.launch_tsc = tsc_;
    std::memcpy(object_at<void>(tcb_.boot_info), &info, sizeof info);
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

LaunchFailure launch(HostPhys slb, std::uint64_t tsc) {
    const std::uint64_t rate = hw::calibrate_tsc();
    if (rate == 0) return LaunchFailure::timer;
    const hw::TscClock clock{rate};
    return Launch{slb, tsc, clock}.run().error();
}

} // namespace casemate::slb
