// SPDX-License-Identifier: Apache-2.0
// See pci_text.hpp.
#include "policy/compiler/pci_text.hpp"

#include <charconv>
#include <cstdio>

namespace casemate::policy {
namespace {

/// Exactly `digits` hexadecimal digits and the separator after them; separator 0 = the end.
std::optional<std::uint16_t> take(std::string_view& text, std::size_t digits, char separator) {
    std::uint16_t value = 0;
    if (text.size() < digits) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, 16);
    if (error != std::errc{} || end != text.data() + digits) return std::nullopt;
    text.remove_prefix(digits);
    if (separator == 0) return text.empty() ? std::optional{value} : std::nullopt;
    if (text.empty() || text.front() != separator) return std::nullopt;
    text.remove_prefix(1);
    return value;
}

} // namespace

std::optional<DeviceAddress> parse_address(std::string_view text) {
    DeviceAddress address;
    if (text.size() == 12) { // with its segment
        const auto segment = take(text, 4, ':');
        if (!segment) return std::nullopt;
        address.segment = *segment;
    }
    const auto bus = take(text, 2, ':');
    const auto device = bus ? take(text, 2, '.') : std::nullopt;
    const auto function = device ? take(text, 1, 0) : std::nullopt;
    if (!function) return std::nullopt;
    address.bus = static_cast<std::uint8_t>(*bus);
    address.device = static_cast<std::uint8_t>(*device);
    address.function = static_cast<std::uint8_t>(*function);
    if (!address.valid()) return std::nullopt;
    return address;
}

std::optional<VendorDevice> parse_vendor_device(std::string_view text) {
    const auto vendor = take(text, 4, ':');
    const auto device = vendor ? take(text, 4, 0) : std::nullopt;
    if (!device) return std::nullopt;
    return VendorDevice{*vendor, *device};
}

std::string to_text(const DeviceAddress& address) {
    char text[16];
    if (address.segment == 0)
        std::snprintf(text, sizeof text, "%02x:%02x.%x", address.bus, address.device, address.function);
    else
        std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", address.segment, address.bus, address.device,
                      address.function);
    return text;
}

} // namespace casemate::policy
