// SPDX-License-Identifier: Apache-2.0
// IN and OUT of ports that are not opened in the VM's I/O permission map: a virtual device, or nobody (reads ones).
#include "hypervisor/core/exits.hpp"
#include "hypervisor/core/vm.hpp"

namespace casemate::core {
namespace {

// EXITINFO1 of an IOIO exit [APM2 15.10.2]
constexpr std::uint64_t info_in = 1, info_string = 1 << 2;
constexpr std::uint8_t vector_gp = 13;

/// IN of 4 bytes clears the upper half of RAX, smaller ones keep the rest [APM1 3.1.2].
void merge_low(std::uint64_t& target, std::uint32_t value, unsigned width) {
    const std::uint64_t mask = width == 4 ? ~0ull : (1ull << 8 * width) - 1;
    target = (target & ~mask) | (value & mask);
}

} // namespace

void handle_port(Vcpu& vcpu) {
    const std::uint64_t info = vcpu.vmcb().exitinfo1;
    const auto width = static_cast<unsigned>(info >> 4 & 7);
    const auto port = static_cast<std::uint16_t>(info >> 16);
    if ((info & info_string) != 0) return vcpu.inject_exception(vector_gp, 0);
    const std::uint64_t next = vcpu.vmcb().exitinfo2;
    const auto* const range = vcpu.vm().bus().ports.find(port);
    if ((info & info_in) != 0)
        merge_low(vcpu.reg(0), range != nullptr ? range->device->read_port(port, width) : ~0u, width);
    else if (range != nullptr)
        range->device->write_port(port, width, static_cast<std::uint32_t>(vcpu.reg(0)));
    vcpu.set_rip(next);
}

} // namespace casemate::core
