// SPDX-License-Identifier: Apache-2.0
// See reported_status.hpp.
#include "attest/cli/reported_status.hpp"

#include <array>
#include <cstdio>

namespace casemate::cli {
namespace {

using verifier::Json;

constexpr std::size_t max_shown = 64, max_rows = 64;
constexpr std::array vm_states{"defined", "running", "stopped"};                                          // docs/interfaces/control.md, status
constexpr std::array device_states{"quarantined", "resetting", "assigned", "draining", "waiting"};        // the same
constexpr std::array order_results{"accepted", "no such order", "no such VM", "no driver VM", "wrong state", "no live grant", "no room in the ledger"};

const Json& at(const Json& value, const char* pointer) {
    static const Json nothing;
    const Json::json_pointer place{pointer};
    return value.is_object() && value.contains(place) ? value.at(place) : nothing;
}

template <std::size_t size>
std::string word(const std::array<const char*, size>& words, std::int64_t number) {
    return number >= 0 && static_cast<std::uint64_t>(number) < size ? words[static_cast<std::size_t>(number)] : std::to_string(number);
}

template <std::size_t size>
std::string state(const std::array<const char*, size>& words, const Json& item) {
    const auto number = item.is_object() ? verifier::whole_number(item, "state") : std::nullopt;
    return number ? word(words, *number) : "-";
}

std::string address(const Json& device) {
    unsigned parts[4];
    if (!device.is_array() || device.size() != 4) return "-";
    for (std::size_t i = 0; i < 4; ++i) {
        if (!device[i].is_number_unsigned() || device[i].get<std::uint64_t>() > 0xFFFF) return "-";
        parts[i] = device[i].get<unsigned>();
    }
    char text[32];
    std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", parts[0], parts[1], parts[2], parts[3]);
    return text;
}

template <typename Row>
Json rows_of(const Json& list, Row row) {
    Json rows = Json::array();
    if (!list.is_array()) return rows;
    for (const Json& item : list)
        if (rows.size() < max_rows) rows.push_back(row(item));
    return rows;
}

} // namespace

std::string shown(const Json& report, const char* pointer) {
    const Json& value = at(report, pointer);
    if (value.is_number_integer() || value.is_boolean()) return value.dump();
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) return "-";
    std::string text = value.get<std::string>().substr(0, max_shown);
    for (char& c : text)
        if (c < ' ' || c > '~') c = '?';
    return text;
}

Json reported_vms(const Json& report) {
    return rows_of(at(report, "/vms"), [](const Json& vm) {
        return Json{{"name", shown(vm, "/name")}, {"state", state(vm_states, vm)}, {"starts", shown(vm, "/starts")},
                    {"memory_mib", shown(vm, "/memory_mib")}};
    });
}

Json reported_devices(const Json& report) {
    return rows_of(at(report, "/devices"), [](const Json& device) {
        return Json{{"device", address(at(device, "/device"))}, {"state", state(device_states, device)},
                    {"lease_ms_left", shown(device, "/lease_ms_left")}};
    });
}

std::string order_result(std::int64_t error) { return word(order_results, error); }

} // namespace casemate::cli
