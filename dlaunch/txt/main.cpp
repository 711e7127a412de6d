// SPDX-License-Identifier: Apache-2.0
// The hand-over from tboot or GRUB to the SLB: for machines that dlaunch.efi does not start. It measures nothing and proves nothing:
// what it starts finds no measured launch and gives no grant. On any problem it says which on COM1 and halts.
// Called by entry.S, in 64-bit mode with memory below 4 GiB at its own address.
#include "dlaunch/efi/machine.hpp"
#include "dlaunch/txt/launch_plan.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/hw/serial.hpp"

#include <cstring>

extern "C" const std::uint8_t image_start[], image_end[]; // hand_over.lds

namespace casemate {

// Only bounds of our own arrays could bring us here.
void contract_violated(const char*, const char*, int) { arch::halt_forever(); }

namespace txt {
namespace {

using launch::Image;
using launch::MemoryRange;
using launch::SlbHeader;

hw::Serial<hw::PortBus> com1{{}, hw::com1_port};
std::array<MemoryRange, launch::max_memory_ranges> memory_ranges;

template <typename T>
T* at(HostPhys address) {
    return reinterpret_cast<T*>(address.value); // SAFETY: memory that the boot loader filled, or room that plan_launch() found
}

Status<HandOverError> place_slb(const LaunchPlan& plan) {
    const auto* header = at<const SlbHeader>(plan.slb_file.base);
    if (plan.slb_file.size < sizeof *header || header->magic != launch::slb_magic || header->version != launch::layout_version ||
        header->length > plan.slb_file.size || header->entry >= header->length || header->params_offset < header->length ||
        header->params_offset > launch::slb_region_size - sizeof(launch::LaunchParams) || header->params_offset % 8 != 0)
        return Failure{HandOverError::slb};
    std::memset(at<void>(plan.slb.base), 0, plan.slb.size);
    std::memcpy(at<void>(plan.slb.base), header, header->length);
    std::memcpy(at<std::uint8_t>(plan.slb.base) + header->params_offset, &plan.params, sizeof plan.params);
    return Done{};
}

void place_arrays(const BootInformation& boot, const LaunchPlan& plan, std::span<const MemoryRange> memory) {
    std::memcpy(at<void>(plan.memory_map.base), memory.data(), memory.size_bytes());
    auto* image = at<Image>(plan.images.base);
    for (const BootModule& module : std::span{boot.modules}.first(boot.module_count)) {
        if (!is_image(module)) continue;
        std::memset(image, 0, sizeof *image);
        std::memcpy(image->name, module.name.data(), module.name.size()); // shorter than image->name
        (image++)->bytes = {module.bytes.base.value, module.bytes.size};
    }
}

Result<HostPhys, HandOverError> prepare(std::uint32_t magic, HostPhys information) {
    if (magic != multiboot2_magic) return Failure{HandOverError::not_multiboot2};
    const std::uint32_t size = *at<const std::uint32_t>(information);
    if (size > max_information) return Failure{HandOverError::information};
    const BootInformation boot = TRY(BootInformation::parse({at<const std::uint8_t>(information), size}));
    const std::span<MemoryRange> memory = TRY(usable_memory(boot, memory_ranges));
    const HostRange own[] = {{{reinterpret_cast<std::uint64_t>(image_start)}, static_cast<std::uint64_t>(image_end - image_start)},
                             {information, size}};
    const LaunchPlan plan = TRY(plan_launch(boot, memory, own));
    TRY(place_slb(plan));
    place_arrays(boot, plan, memory);
    return plan.slb.base;
}

} // namespace

extern "C" std::uint64_t hand_over(std::uint32_t magic, std::uint32_t information) {
    com1.configure();
    com1.write("@cm event=hand_over_start\n");
    const auto slb = prepare(magic, {information});
    if (!slb) {
        com1.write("@cm event=hand_over_refused reason=");
        com1.write(word_of(slb.error()));
        com1.write("\n");
        arch::halt_forever();
    }
    efi::stop_bus_masters();
    efi::release_tpm_locality();
    efi::stop_processors();
    com1.write("@cm event=hand_over_slb measured=0\n");
    return slb.value().value;
}

} // namespace txt
} // namespace casemate
