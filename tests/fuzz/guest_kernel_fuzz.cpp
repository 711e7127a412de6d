// SPDX-License-Identifier: Apache-2.0
// Any bytes as a guest's kernel file: refused, or loaded inside the guest's memory.
#include "hypervisor/core/boot_protocol.hpp"

#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::vector<std::uint8_t> bytes(4 << 20);
    const casemate::mm::GuestMemory memory{bytes};
    const auto entry = casemate::core::load_linux(memory, {{data, size}, {data, size / 2}, "quiet"}, {});
    if (entry.ok() && entry.value().rip >= bytes.size()) __builtin_trap();
    return 0;
}
