// SPDX-License-Identifier: Apache-2.0
// PCI addresses and ids as people write them: "00:03.0" or "0000:00:03.0", and "8086:10d3". Hexadecimal, as lspci prints.
#pragma once

#include "hypervisor/base/device_address.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace casemate::policy {

struct VendorDevice {
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;
};

[[nodiscard]] std::optional<DeviceAddress> parse_address(std::string_view text);
[[nodiscard]] std::optional<VendorDevice> parse_vendor_device(std::string_view text);
/// Without the segment when it is 0.
[[nodiscard]] std::string to_text(const DeviceAddress& address);

} // namespace casemate::policy
