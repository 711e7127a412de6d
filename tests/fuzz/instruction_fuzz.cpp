// SPDX-License-Identifier: Apache-2.0
// Any bytes as the instruction that touched a virtual device.
#include "hypervisor/core/instruction_decoder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto access = casemate::core::decode_memory_access({data, size});
    if (!access) return 0;
    const bool width_ok = access->width == 1 || access->width == 2 || access->width == 4 || access->width == 8;
    if (access->length > size || access->reg > 15 || !width_ok) __builtin_trap();
    return 0;
}
