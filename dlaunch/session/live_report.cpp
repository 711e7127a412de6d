// SPDX-License-Identifier: Apache-2.0
// See live_report.hpp.
#include "dlaunch/session/live_report.hpp"

#include <optional>
#include <string>

namespace casemate::session {

using nlohmann::json;

namespace {

const char* const vm_states[] = {"defined", "running", "stopped"};
const char* const device_states[] = {"quarantined", "resetting", "assigned", "draining", "waiting"};
const char* const reset_kinds[] = {"none", "flr", "secondary-bus", "device"};
constexpr std::size_t max_reports = 16;
constexpr std::uint64_t shortest_interval_ms =
    900; // the agent reports at once when something changes: too short for a rate

template <std::size_t count>
std::string name_from(const char* const (&names)[count], const json& number) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() >= count) return "unknown";
    return names[number.get<std::size_t>()];
}

std::optional<std::uint64_t> number(const json& value) {
    return value.is_number_unsigned() ? std::optional{value.get<std::uint64_t>()} : std::nullopt;
}

std::optional<std::uint64_t> uptime(const json& status) { return number(member(status, "uptime_ms")); }

json text_member(const json& object, const char* key) {
    json value = member(object, key);
    return value.is_string() ? value : json(nullptr);
}

json number_member(const json& object, const char* key) {
    json value = member(object, key);
    return value.is_number_unsigned() ? value : json(nullptr);
}

/// `format` takes one to three unsigned numbers; null unless all are there.
template <typename... Numbers>
json formatted(const char* format, Numbers... numbers) {
    if (!(numbers.has_value() && ...)) return nullptr;
    char text[32];
    std::snprintf(text, sizeof text, format, static_cast<unsigned>(*numbers)...);
    return text;
}

json location(const json& device) {
    if (!device.is_array() || device.size() != 4) return nullptr;
    return formatted("%02x:%02x.%x", number(device[1]), number(device[2]), number(device[3]));
}

json vm_name(const json& status, const json& vm_id) {
    for (const json& vm : array_member(status, "vms")) {
        if (vm_id.is_string() && member(vm, "vm_id") == vm_id) return text_member(vm, "name");
    }
    return nullptr;
}

json counters(const json& exits) {
    json all = json::object();
    if (!exits.is_object()) return all;
    for (const auto& [kind, count] : exits.items()) {
        if (count.is_number_unsigned()) all[kind] = count;
    }
    return all;
}

json devices_of(const json& devices, const json& vm) {
    json all = json::array();
    for (const json& device : devices) {
        if (vm.is_string() && device["holder"] == vm) all.push_back(device["location"]);
    }
    return all;
}

const json* find_vm(const json& vms, const json& vm_id) {
    for (const json& vm : vms) {
        if (vm["vm_id"] == vm_id) return &vm;
    }
    return nullptr;
}

/// Null when it is not known: a first report, or a counter that went back.
json rates(const json& now, const json& before, std::uint64_t interval_ms) {
    json all = json::object();
    for (const auto& [kind, count] : now.items()) {
        const auto earlier = number(member(before, kind.c_str())).value_or(0);
        const auto later = count.get<std::uint64_t>();
        if (later < earlier) return nullptr;
        all[kind] = static_cast<double>(later - earlier) * 1000.0 / static_cast<double>(interval_ms);
    }
    return all;
}

} // namespace

json member(const json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(key);
    return found == object.end() ? json(nullptr) : *found;
}

json array_member(const json& object, const char* key) {
    json value = member(object, key);
    return value.is_array() ? value : json::array();
}

json vm_list(const json& status) {
    json all = json::array();
    for (const json& vm : array_member(status, "vms")) {
        all.push_back({{"name", text_member(vm, "name")},
                       {"vm_id", text_member(vm, "vm_id")},
                       {"state", name_from(vm_states, member(vm, "state"))},
                       {"memory_mib", number_member(vm, "memory_mib")},
                       {"starts", number_member(vm, "starts")},
                       {"stop_cause", number_member(vm, "stop_cause")},
                       {"exits", counters(member(vm, "exits"))}});
    }
    return all;
}

json device_list(const json& status) {
    json all = json::array();
    for (const json& device : array_member(status, "devices")) {
        all.push_back({{"location", location(member(device, "device"))},
                       {"id", formatted("%04x:%04x", number(member(device, "vendor")),
                                        number(member(device, "device_id")))},
                       {"class", number_member(device, "class")},
                       {"state", name_from(device_states, member(device, "state"))},
                       {"holder", vm_name(status, member(device, "holder"))},
                       {"grant_id", text_member(device, "grant_id")},
                       {"lease_ms_left", number_member(device, "lease_ms_left")},
                       {"reset_kind", name_from(reset_kinds, member(device, "reset_kind"))},
                       {"tainted_by", text_member(device, "tainted_by")}});
    }
    return all;
}

void LiveReport::take(const json& status) {
    const auto now = uptime(status);
    const auto before = recent_.empty() ? std::nullopt : uptime(recent_.back());
    if (!now || (before && *now < *before)) recent_.clear(); // another launch
    recent_.push_back(status);
    const auto old_enough = [&](const json& report) {
        return *now - *uptime(report) >= shortest_interval_ms;
    };
    while (recent_.size() > max_reports || (recent_.size() > 2 && old_enough(recent_[1])))
        recent_.pop_front();
}

json LiveReport::view() const {
    const json& newest = recent_.back();
    const json devices = device_list(newest);
    const json vms_before = vm_list(recent_.front());
    const std::uint64_t interval_ms = uptime(newest).value_or(0) - uptime(recent_.front()).value_or(0);
    json vms = vm_list(newest);
    for (json& vm : vms) {
        vm["devices"] = devices_of(devices, vm["name"]);
        const json* earlier = find_vm(vms_before, vm["vm_id"]);
        const bool known = earlier != nullptr && interval_ms >= shortest_interval_ms;
        vm["exits_per_second"] = known ? rates(vm["exits"], (*earlier)["exits"], interval_ms) : json(nullptr);
    }
    return {{"uptime_ms", number_member(newest, "uptime_ms")},
            {"vms", std::move(vms)},
            {"devices", devices},
            {"agent", member(newest, "agent")}};
}

} // namespace casemate::session
