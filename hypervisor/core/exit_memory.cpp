// SPDX-License-Identifier: Apache-2.0
// Nested page faults: an access to a virtual device is decoded and carried out; any other ends the VM.
#include "hypervisor/core/exits.hpp"
#include "hypervisor/core/instruction_decoder.hpp"
#include "hypervisor/core/vm.hpp"
#include "hypervisor/mm/guest_walk.hpp"

namespace casemate::core {
namespace {

constexpr std::size_t longest_instruction = 15;
constexpr std::uint16_t attribute_long = 1 << 9; // CS.L in the VMCB's packed form

std::uint64_t mask_of(unsigned width) { return width == 8 ? ~0ull : (1ull << 8 * width) - 1; }

std::uint64_t stored_value(Vcpu& vcpu, const MemoryAccess& access) {
    const std::uint64_t value =
        access.immediate ? *access.immediate : vcpu.reg(access.reg) >> (access.high_byte ? 8 : 0);
    return value & mask_of(access.width);
}

/// Loads of 4 bytes clear the upper half of the register, smaller ones keep it [APM1 3.1.2].
void load_value(Vcpu& vcpu, const MemoryAccess& access, std::uint64_t value) {
    std::uint64_t& target = vcpu.reg(access.reg);
    value &= mask_of(access.width);
    if (access.register_width >= 4)
        target = value;
    else if (access.high_byte)
        target = (target & ~0xff00ull) | value << 8;
    else
        target = (target & ~mask_of(access.register_width)) | value;
}

std::optional<MemoryAccess> fetch_and_decode(Vcpu& vcpu, StopReason& reason) {
    std::array<std::uint8_t, longest_instruction> bytes{};
    const Vmcb& vmcb = vcpu.vmcb();
    const std::size_t count = mm::read_guest_virtual(vcpu.vm().memory(), vmcb.cr3, vmcb.rip, bytes);
    reason = count == 0 ? StopReason::unreadable_instruction : StopReason::instruction_not_emulated;
    if ((vmcb.cs.attributes & attribute_long) == 0) return std::nullopt;
    return decode_memory_access(ByteView{bytes}.first(count));
}

} // namespace

void handle_nested_fault(Vcpu& vcpu) {
    Vm& vm = vcpu.vm();
    const std::uint64_t where = vcpu.vmcb().exitinfo2;
    const auto* const range = vm.bus().memory.find(where);
    if (range == nullptr || vcpu.vmcb().eventinj != 0)
        return vm.end(StopCause::vm_crashed, StopReason::unmapped_memory);
    StopReason reason;
    const auto access = fetch_and_decode(vcpu, reason);
    if (!access) return vm.end(StopCause::vm_crashed, reason);
    const std::uint64_t offset = where - range->first;
    if (access->write)
        range->device->write_memory(offset, access->width, stored_value(vcpu, *access));
    else
        load_value(vcpu, *access, range->device->read_memory(offset, access->width));
    vcpu.skip_instruction(access->length);
}

} // namespace casemate::core
