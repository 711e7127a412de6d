// SPDX-License-Identifier: Apache-2.0
// The other direction of what entry.S does at the start: in a copy of the running SLB, subtracts the base from
// every relocated word, which gives the bytes that SKINIT measured (event 1 of the log).
#pragma once

#include "hypervisor/base/bytes.hpp"

namespace casemate::slb {

/// `relocations` in RELR form [ELF gABI, SHT_RELR]; every word lies inside `image` (CHECK): they are our own.
void take_back_relocations(ByteSpan image, std::span<const std::uint64_t> relocations, std::uint64_t base);

} // namespace casemate::slb
