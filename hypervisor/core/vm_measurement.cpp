// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/vm_measurement.hpp"

#include "hypervisor/core/log.hpp"

namespace casemate::core {

const measure::Sha256Digest* VmMeasurements::digest_of(const Machine& machine, std::string_view file) {
    const ByteView bytes = machine.image(file);
    if (bytes.empty()) {
        LogLine{"@cm event=image_missing"}.key("file", file);
        return nullptr;
    }
    for (std::size_t i = 0; i < file_count_; ++i)
        if (files_[i].bytes.data() == bytes.data()) return &files_[i].digest;
    LogLine{"measuring "}.text(file).text(", ").number(bytes.size()).text(" bytes");
    File& fresh = files_[file_count_++]; // two files for each of at most max_vms VMs
    fresh = {bytes, measure::sha256(bytes)};
    LogLine{"@cm event=image_measured"}.key("file", file).key_bytes("sha256", fresh.digest);
    return &fresh.digest;
}

bool VmMeasurements::measure(const Machine& machine, const policy::Policy& policy) {
    for (std::size_t i = 0; i < policy.vm_count; ++i) {
        const policy::Vm& vm = policy.vms[i];
        const measure::Sha256Digest* kernel = digest_of(machine, vm.kernel.view());
        const measure::Sha256Digest* initrd = digest_of(machine, vm.initrd.view());
        if (kernel == nullptr || initrd == nullptr) return false;
        Entry& entry = vms_[i];
        const ByteView definition =
            measure::encode(entry.definition, policy::vm_definition(vm, {*kernel, *initrd}));
        entry.definition_size = definition.size();
        entry.id = measure::vm_id_of(definition);
        LogLine{"@cm event=vm_measured"}.key("vm", vm.name.view()).key_bytes("vm_id", entry.id);
    }
    return true;
}

} // namespace casemate::core
