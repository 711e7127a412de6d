// SPDX-License-Identifier: Apache-2.0
// The PCI functions of one machine, as `lspci -Dnmm` prints them there: what a policy's selectors are resolved against when it is compiled.
// The bundle has locations and ids only; a device that was added or moved since is in no VM's reach.
#pragma once

#include "policy/compiler/toml_source.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace casemate::policy {

struct PciFunction {
    DeviceAddress address;
    std::string device_class; // four hexadecimal digits, class and subclass
    std::uint16_t vendor = 0, device_id = 0;
};

struct Inventory {
    std::vector<PciFunction> functions;
    std::vector<Problem> problems; // of the text; functions is empty then
};

[[nodiscard]] Inventory parse_inventory(std::string_view text);

/// Two or four hexadecimal digits, or one of the words network, storage, nvme, sata, usb, audio and display, to the digits that a class begins with.
[[nodiscard]] std::optional<std::string> class_prefix(std::string_view text);

} // namespace casemate::policy
