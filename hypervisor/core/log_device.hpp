// SPDX-License-Identifier: Apache-2.0
// The name of a PCI function as console events and people write it: 00:03.0 (segment 0 only).
#pragma once

#include "hypervisor/base/device_address.hpp"

#include <string_view>

namespace casemate::core {

class DeviceName {
public:
    constexpr explicit DeviceName(DeviceAddress address) {
        constexpr char digits[] = "0123456789abcdef";
        text_[0] = digits[address.bus >> 4];
        text_[1] = digits[address.bus & 15];
        text_[2] = ':';
        text_[3] = digits[address.device >> 4];
        text_[4] = digits[address.device & 15];
        text_[5] = '.';
        text_[6] = digits[address.function & 15];
    }
    [[nodiscard]] constexpr std::string_view view() const { return {text_, sizeof text_}; }

private:
    char text_[7]{};
};

} // namespace casemate::core
