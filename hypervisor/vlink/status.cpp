// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/vlink/status.hpp"

namespace casemate::vlink {
namespace {

void write_end(CborWriter& out, std::string_view vm, const Link::Status& end) {
    out.map(8);
    out.key(0).text(vm);
    out.key(1).u64(end.running);
    out.key(2).u64(static_cast<std::uint64_t>(end.error));
    out.key(3).u64(end.counters.packets);
    out.key(4).u64(end.counters.bytes);
    out.key(5).u64(end.counters.notifications);
    out.key(6).u64(end.counters.interrupts);
    out.key(7).array(end.counters.drops.size());
    for (const std::uint64_t packets : end.counters.drops) out.u64(packets);
}

} // namespace

void write_link(CborWriter& out, Link& link, const std::array<std::string_view, 2>& vms) {
    out.array(vms.size());
    for (unsigned side = 0; side < vms.size(); ++side) write_end(out, vms[side], link.status(side));
}

} // namespace casemate::vlink
