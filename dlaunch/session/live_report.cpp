// SPDX-License-Identifier: Apache-2.0
// See live_report.hpp.
#include "dlaunch/session/live_report.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace casemate::session {

using nlohmann::json;

namespace {

const char* const vm_states[] = {"defined", "running", "stopped"};
const char* const device_states[] = {"quarantined", "resetting", "assigned", "draining", "waiting"};
const char* const reset_kinds[] = {"none", "flr", "secondary-bus", "device"};
const char* const refusals[] = {"none",
                                "size",
                                "misaligned",
                                "ring_outside",
                                "avail_runs_ahead",
                                "head_outside",
                                "next_outside",
                                "chain_too_long",
                                "too_many_pieces",
                                "buffer_outside",
                                "wrong_direction",
                                "indirect_not_negotiated",
                                "indirect_and_next",
                                "indirect_nested",
                                "indirect_table"};
const char* const drop_reasons[] = {"receiver_down", "frame_size", "checksum", "segmentation", "no_room"};
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

/// A driver that was refused runs only when it has reset its end.
const char* end_state(const json& end) {
    const json running = member(end, "running");
    if (!running.is_boolean()) return "unknown";
    if (running == true) return "up";
    return number(member(end, "error")).value_or(0) == 0 ? "down" : "refused";
}

/// By the names of the reasons; one that has no name yet is not shown.
json drops_of(const json& counts) {
    json all = json::object();
    for (std::size_t i = 0; i < std::size(drop_reasons) && i < counts.size(); ++i) {
        if (counts[i].is_number_unsigned()) all[drop_reasons[i]] = counts[i];
    }
    return all;
}

/// The entry of a list that has the same values under these keys.
const json* find_same(const json& list, const json& wanted, std::initializer_list<const char*> keys) {
    for (const json& entry : list) {
        if (std::ranges::all_of(keys, [&](const char* key) { return entry[key] == wanted[key]; }))
            return &entry;
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

/// Of its core, 0 to 1; null when it is not known.
json share(const json& now_us, const json& before_us, std::uint64_t interval_ms) {
    const auto later = number(now_us), earlier = number(before_us);
    if (!later || !earlier || *later < *earlier) return nullptr;
    return std::min(1.0, static_cast<double>(*later - *earlier) / (1000.0 * static_cast<double>(interval_ms)));
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
                       {"cpu_us", number_member(vm, "cpu_us")},
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

json link_end_list(const json& status) {
    json all = json::array();
    for (const json& end : array_member(status, "link_ends")) {
        all.push_back({{"vm", text_member(end, "vm")},
                       {"peer", text_member(end, "peer")},
                       {"state", end_state(end)},
                       {"refusal", name_from(refusals, member(end, "error"))},
                       {"counts", counters(member(end, "counts"))},
                       {"drops", drops_of(array_member(end, "drops"))}});
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
    const json vms_before = vm_list(recent_.front()), ends_before = link_end_list(recent_.front());
    const std::uint64_t interval_ms = uptime(newest).value_or(0) - uptime(recent_.front()).value_or(0);
    const bool known = interval_ms >= shortest_interval_ms;
    const auto rates_of = [&](const json& entry, const char* counts, const json* earlier) {
        return known && earlier != nullptr ? rates(entry[counts], (*earlier)[counts], interval_ms) : json(nullptr);
    };
    json vms = vm_list(newest), ends = link_end_list(newest);
    for (json& vm : vms) {
        vm["devices"] = devices_of(devices, vm["name"]);
        const json* before = find_same(vms_before, vm, {"vm_id"});
        vm["exits_per_second"] = rates_of(vm, "exits", before);
        vm["cpu_share"] = known && before != nullptr ? share(vm["cpu_us"], (*before)["cpu_us"], interval_ms) : json(nullptr);
    }
    for (json& end : ends)
        end["counts_per_second"] = rates_of(end, "counts", find_same(ends_before, end, {"vm", "peer"}));
    return {{"uptime_ms", number_member(newest, "uptime_ms")},
            {"vms", std::move(vms)},
            {"devices", devices},
            {"link_ends", std::move(ends)},
            {"agent", member(newest, "agent")}};
}

} // namespace casemate::session
