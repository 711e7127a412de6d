// SPDX-License-Identifier: Apache-2.0
// Decodes the instruction by which a guest touched a virtual device's memory: the plain MOV forms in 64-bit code,
// which are all that Linux's readb..writeq compile to [APM3 3, MOV, MOVZX]. Anything else is not emulated.
// UNTRUSTED: the bytes are the guest's. The address comes from the nested page fault, so operands are skipped only.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <optional>

namespace casemate::core {

struct MemoryAccess {
    unsigned length = 0; // of the instruction
    unsigned width = 0;  // bytes accessed: 1, 2, 4, 8
    bool write = false;
    unsigned reg = 0;                       // source or destination, numbered as in vcpu.hpp
    bool high_byte = false;                 // AH, CH, DH, BH of that register - 4
    unsigned register_width = 0;            // of the destination of a load
    std::optional<std::uint64_t> immediate; // of a store
};

[[nodiscard]] std::optional<MemoryAccess> decode_memory_access(ByteView code);

} // namespace casemate::core
