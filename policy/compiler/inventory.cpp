// SPDX-License-Identifier: Apache-2.0
// See inventory.hpp.
#include "policy/compiler/inventory.hpp"

#include "policy/compiler/pci_text.hpp"

#include <algorithm>
#include <sstream>

namespace casemate::policy {
namespace {

bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

/// `0000:00:03.0 "0200" "8086" "10d3" -r00 "1af4" "1100"`: what follows the ids does not matter here.
std::optional<PciFunction> parse_function(const std::string& line) {
    std::istringstream words{line};
    std::string address, quoted[3];
    if (!(words >> address >> quoted[0] >> quoted[1] >> quoted[2])) return std::nullopt;
    for (std::string& each : quoted) {
        if (each.size() != 6 || each.front() != '"' || each.back() != '"' || !is_hex(each.substr(1, 4))) return std::nullopt;
        each = each.substr(1, 4);
    }
    const auto location = parse_address(address);
    const auto id = parse_vendor_device(quoted[1] + ":" + quoted[2]);
    if (!location || !id) return std::nullopt;
    return PciFunction{*location, quoted[0], id->vendor, id->device};
}

} // namespace

Inventory parse_inventory(std::string_view text) {
    Inventory inventory;
    std::istringstream lines{std::string{text}};
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        auto function = parse_function(line);
        const auto same = [&](const PciFunction& each) { return function && each.address == function->address; };
        if (!function) inventory.problems.push_back({number, "not a line of `lspci -Dnmm`"});
        else if (std::any_of(inventory.functions.begin(), inventory.functions.end(), same)) inventory.problems.push_back({number, "this location was there before"});
        else inventory.functions.push_back(std::move(*function));
    }
    if (inventory.functions.empty() && inventory.problems.empty()) inventory.problems.push_back({0, "no device in it"});
    if (!inventory.problems.empty()) inventory.functions.clear();
    return inventory;
}

std::optional<std::string> class_prefix(std::string_view text) {
    constexpr std::pair<std::string_view, std::string_view> words[] = {{"network", "02"}, {"storage", "01"}, {"nvme", "0108"}, {"sata", "0106"},
                                                                       {"usb", "0c03"},   {"audio", "04"},   {"display", "03"}};
    for (const auto& [word, digits] : words)
        if (text == word) return std::string{digits};
    if ((text.size() == 2 || text.size() == 4) && is_hex(text)) return std::string{text};
    return std::nullopt;
}

} // namespace casemate::policy
