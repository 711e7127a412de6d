// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/arch/svm.hpp"

#include "hypervisor/arch/instructions.hpp"

namespace casemate::arch {
namespace {

constexpr std::uint32_t msr_efer = 0xC0000080, msr_vm_cr = 0xC0010114, msr_vm_hsave_pa = 0xC0010117;
constexpr std::uint64_t efer_svme = 1 << 12, vm_cr_svmdis = 1 << 4;

} // namespace

bool enable_svm(std::uint64_t host_save_page) {
    if (cpuid(0x80000000).eax < 0x8000000A || (cpuid(0x80000001).ecx & 1 << 2) == 0) return false;
    if ((cpuid(0x8000000A).edx & 1) == 0 || (read_msr(msr_vm_cr) & vm_cr_svmdis) != 0) return false;
    write_msr(msr_efer, read_msr(msr_efer) | efer_svme);
    write_msr(msr_vm_hsave_pa, host_save_page);
    return true;
}

} // namespace casemate::arch
