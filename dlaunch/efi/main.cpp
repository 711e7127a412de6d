// SPDX-License-Identifier: Apache-2.0
// dlaunch.efi: loads Casemate from the volume that it came from, makes the machine quiet and executes SKINIT.
// Nothing here is trusted by what it starts: the SLB checks every word of LaunchParams. On any problem it says
// which, launches nothing and returns to the firmware, which goes on with its next boot entry.
#include "dlaunch/efi/firmware.hpp"
#include "dlaunch/efi/firmware_log_copy.hpp"
#include "dlaunch/efi/launch_config.hpp"
#include "dlaunch/efi/machine.hpp"
#include "hypervisor/arch/instructions.hpp"
#include "hypervisor/base/check.hpp"
#include "hypervisor/hw/serial.hpp"

#include <cstring>

namespace casemate {

// Only bounds of our own arrays could bring us here.
void contract_violated(const char*, const char*, int) { arch::halt_forever(); }

namespace efi {
namespace {

using launch::Extent;
using launch::Image;
using launch::LaunchParams;
using launch::MemoryRange;
using launch::SlbHeader;

constexpr std::uint64_t most_config = 16 * 1024, most_hypervisor = 7 << 20, most_policy = 64 * 1024;
constexpr std::uint64_t most_image = 512ull << 20;
constexpr std::uint64_t tcb_size = 16 << 20;
constexpr std::uint64_t most_firmware_log = 256 * 1024;

hw::Serial<hw::PortBus> com1{{}, hw::com1_port};

Extent to_extent(HostRange range) { return {range.base.value, range.size}; }

template <typename T>
T* at(HostRange range) {
    return reinterpret_cast<T*>(range.base.value); // SAFETY: memory that Firmware::allocate gave for a T
}

/// Everything in memory, as LaunchParams will tell it.
struct Plan {
    LaunchParams params{};
    HostRange slb{};
    HostRange memory_map{}; // MemoryRange[max_memory_ranges]
    HostRange firmware_log{};
};

Result<HostRange, Refusal> reserve(Firmware& firmware, std::uint64_t size, std::uint64_t alignment,
                                   std::string_view what) {
    const auto memory = firmware.allocate(size, alignment, Placement::low);
    if (!memory.ok()) return Failure{Refusal{memory.error(), what}};
    return memory.value();
}

Result<HostRange, Refusal> load_slb(Firmware& firmware, std::string_view name) {
    const HostRange file = TRY(firmware.load(name, launch::slb_region_size));
    const auto* header = at<const SlbHeader>(file);
    if (file.size < sizeof *header || header->magic != launch::slb_magic || header->version != launch::layout_version)
        return Failure{Refusal{RefusalKind::bad_slb, "not a Casemate SLB of this version"}};
    if (header->length > file.size || header->entry >= header->length || header->params_offset < header->length ||
        header->params_offset > launch::slb_region_size - sizeof(LaunchParams) || header->params_offset % 8 != 0)
        return Failure{Refusal{RefusalKind::bad_slb, "its header does not fit its length"}};
    const HostRange region = TRY(reserve(firmware, launch::slb_region_size, launch::slb_region_size, "the SLB"));
    std::memcpy(at<void>(region), at<void>(file), header->length);
    return region;
}

Status<Refusal> load_images(Firmware& firmware, const LaunchConfig& config, LaunchParams& params) {
    const HostRange array = TRY(reserve(firmware, launch::max_images * sizeof(Image), page_size, "the list of images"));
    params.images = array.base.value;
    params.image_count = static_cast<std::uint32_t>(config.image_count);
    for (std::size_t i = 0; i < config.image_count; ++i) {
        const std::string_view name = config.images[i];
        Image& image = at<Image>(array)[i];
        std::memcpy(image.name, name.data(), name.size()); // shorter than image.name, which is zeroed
        image.bytes = to_extent(TRY(firmware.load(name, most_image)));
    }
    return Done{};
}

/// As one more image; a file of that name in the configuration would be refused by the SLB as a second one.
void add_firmware_log(ByteView log, LaunchParams& params) {
    constexpr std::string_view name = launch::firmware_log_name;
    if (log.empty() || params.image_count == launch::max_images) return;
    Image& image = reinterpret_cast<Image*>(params.images)[params.image_count++]; // SAFETY: of load_images()
    std::memcpy(image.name, name.data(), name.size());
    image.bytes = {reinterpret_cast<std::uint64_t>(log.data()), log.size()};
}

Result<Plan, Refusal> load_everything(Firmware& firmware) {
    const HostRange text = TRY(firmware.load("launch.cfg", most_config));
    const auto config = LaunchConfig::parse({at<const char>(text), text.size});
    if (!config.ok())
        return Failure{Refusal{RefusalKind::bad_config, describe(config.error().problem), config.error().line}};
    Plan plan;
    LaunchParams& params = plan.params;
    params.magic = launch::params_magic;
    params.version = launch::layout_version;
    params.size = sizeof params;
    plan.slb = TRY(load_slb(firmware, config.value().slb));
    params.hypervisor = to_extent(TRY(firmware.load(config.value().hypervisor, most_hypervisor)));
    params.policy = to_extent(TRY(firmware.load(config.value().policy, most_policy)));
    TRY(load_images(firmware, config.value(), params));
    params.tcb = to_extent(TRY(reserve(firmware, tcb_size, large_page_size, "the hypervisor")));
    const std::uint64_t map_size = launch::max_memory_ranges * sizeof(MemoryRange);
    plan.memory_map = TRY(reserve(firmware, map_size, page_size, "the memory map"));
    params.memory_map = plan.memory_map.base.value;
    plan.firmware_log = TRY(reserve(firmware, most_firmware_log, page_size, "the firmware's log"));
    return plan;
}

/// Returns only when something is missing; after boot services were left it does not return at all.
Refusal prepare_and_launch(Firmware& firmware, EFI_SYSTEM_TABLE* system) {
    const auto processor = check_processor();
    if (!processor.ok()) return {processor.error()};
    if (!firmware.has_tcg2() && !tpm_answers()) return {RefusalKind::no_tpm};
    if (!tpm_answers()) return {RefusalKind::no_tpm, "(the firmware's TPM has another interface)"};
    auto loaded = load_everything(firmware);
    if (!loaded.ok()) return loaded.error();
    Plan& plan = loaded.value();
    FirmwareLogCopy log{system, {at<std::uint8_t>(plan.firmware_log), plan.firmware_log.size}};
    firmware.say("Casemate: launching\n");
    log.begin();
    const auto map = firmware.leave({at<MemoryRange>(plan.memory_map), launch::max_memory_ranges});
    if (!map.ok()) return map.error();
    arch::disable_interrupts();
    log.finish();
    add_firmware_log(log.bytes(), plan.params);
    plan.params.memory_range_count = static_cast<std::uint32_t>(map.value().size());
    const std::uint16_t params_offset = at<const SlbHeader>(plan.slb)->params_offset;
    std::memcpy(at<std::uint8_t>(plan.slb) + params_offset, &plan.params, sizeof plan.params);
    stop_bus_masters();
    release_tpm_locality();
    stop_processors();
    com1.write("@cm event=launcher_skinit\n");
    skinit(plan.slb.base);
}

void report(Firmware& firmware, const Refusal& refusal) {
    com1.write("@cm event=launcher_refused reason=");
    com1.write(word_of(refusal.kind));
    com1.write("\n");
    firmware.say("Casemate is not launched: ");
    firmware.say(sentence_of(refusal.kind));
    if (!refusal.detail.empty()) firmware.say(" ");
    firmware.say(refusal.detail);
    if (refusal.line != 0) {
        char digits[] = " (line 000)";
        for (unsigned at = 9, rest = refusal.line; at > 6; rest /= 10) digits[at--] = static_cast<char>('0' + rest % 10);
        firmware.say({digits, sizeof digits - 1});
    }
    firmware.say("\n");
}

} // namespace
} // namespace efi
} // namespace casemate

extern "C" EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE* system) {
    casemate::efi::com1.write("@cm event=launcher_start\n");
    casemate::efi::Firmware firmware{image, system};
    const casemate::efi::Refusal refusal = casemate::efi::prepare_and_launch(firmware, system);
    casemate::efi::report(firmware, refusal);
    return EFI_ABORTED;
}
