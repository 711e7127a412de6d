// SPDX-License-Identifier: Apache-2.0
// See vm_definition.hpp.
#include "policy/model/vm_definition.hpp"

#include "hypervisor/base/cbor_writer.hpp"

namespace casemate::policy {

ByteView encode_vm_definition(const Vm& vm, const ImageDigests& images, ByteSpan buffer) {
    CborWriter out{buffer};
    out.map(7);
    out.key(0), out.text(vm.name.view());
    out.key(1), out.u64(static_cast<std::uint64_t>(vm.role));
    out.key(2), out.bytes(images.kernel);
    out.key(3), out.bytes(images.initrd);
    out.key(4), out.text(vm.command_line.view());
    out.key(5), out.u64(vm.memory_mib);
    out.key(6), out.u64(vm.vcpus);
    return out.ok() ? out.written() : ByteView{};
}

} // namespace casemate::policy
