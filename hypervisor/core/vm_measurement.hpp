// SPDX-License-Identifier: Apache-2.0
// Measures the images of every VM of the policy in place and forms the VM definitions and ids.
// A file that several VMs use is hashed once. The images stay where the launcher put them, in frames that no
// VM and no device can reach, so what was measured is what is loaded at each start.
#pragma once

#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/custody_types.hpp"
#include "hypervisor/core/machine.hpp"
#include "policy/model/policy.hpp"
#include "policy/model/vm_definition.hpp"

namespace casemate::core {

class VmMeasurements {
public:
    /// False (and a console line) when an image of the policy was not loaded.
    [[nodiscard]] bool measure(const Machine& machine, const policy::Policy& policy);

    [[nodiscard]] const measure::VmId& id(std::size_t vm) const { return vms_[vm].id; }
    /// The encoded VM definition.
    [[nodiscard]] ByteView definition(std::size_t vm) const {
        return ByteView{vms_[vm].definition}.first(vms_[vm].definition_size);
    }

private:
    struct File {
        ByteView bytes;
        measure::Sha256Digest digest;
    };
    struct Entry {
        measure::VmId id{};
        std::array<std::uint8_t, measure::max_vm_definition> definition{};
        std::size_t definition_size = 0;
    };

    const measure::Sha256Digest* digest_of(const Machine& machine, std::string_view file);

    std::array<File, 2 * policy::max_vms> files_{};
    std::size_t file_count_ = 0;
    std::array<Entry, policy::max_vms> vms_{};
};

} // namespace casemate::core
