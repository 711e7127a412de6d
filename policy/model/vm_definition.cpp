// SPDX-License-Identifier: Apache-2.0
// See vm_definition.hpp.
#include "policy/model/vm_definition.hpp"

namespace casemate::policy {

static_assert(max_vm_name == measure::max_vm_name && max_command_line == measure::max_command_line);

measure::VmDefinition vm_definition(const Vm& vm, const ImageDigests& images) {
    return {.name = vm.name.view(),
            .role = static_cast<std::uint8_t>(vm.role),
            .kernel = images.kernel,
            .initrd = images.initrd,
            .command_line = vm.command_line.view(),
            .memory_mib = vm.memory_mib,
            .vcpus = vm.vcpus};
}

} // namespace casemate::policy
