// SPDX-License-Identifier: Apache-2.0
// A link in the machine's status (docs/interfaces/control.md), as CBOR. Called by hypervisor/core.
#pragma once

#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/vlink/link.hpp"

namespace casemate::vlink {

/// `vms` in the order of the link's sides. Takes the link's lock for each end.
void write_link(CborWriter& out, Link& link, const std::array<std::string_view, 2>& vms);

} // namespace casemate::vlink
