// SPDX-License-Identifier: Apache-2.0
// See operator_view.hpp.
#include "dlaunch/session/operator_view.hpp"

#include "dlaunch/session/live_report.hpp"
#include "dlaunch/session/table.hpp"

#include <set>

namespace casemate::session {

using nlohmann::json;

namespace {

std::string text_of(const json& object, const char* key) {
    const json value = member(object, key);
    if (value.is_string()) return printable(value.get<std::string>());
    return value.is_number() ? value.dump() : "-";
}

/// Three digits that matter: 0, 0.4, 12, 1234.
std::string rate_text(const json& rates, const std::string& kind) {
    const json rate = member(rates, kind.c_str());
    if (!rate.is_number()) return "-";
    char text[32];
    const double value = rate.get<double>();
    std::snprintf(text, sizeof text, value > 0 && value < 9.95 ? "%.1f" : "%.0f", value);
    return text;
}

std::string total_text(const json& rates) {
    if (!rates.is_object()) return "-";
    double total = 0;
    for (const auto& [kind, rate] : rates.items()) total += rate.is_number() ? rate.get<double>() : 0;
    return rate_text({{"total", total}}, "total");
}

std::string seconds_text(const json& milliseconds) {
    if (!milliseconds.is_number_unsigned()) return "-";
    return std::to_string(milliseconds.get<std::uint64_t>() / 1000) + " s";
}

std::string lease_text(const json& device) {
    const json left = member(device, "lease_ms_left");
    return left == 0U ? "-" : seconds_text(left);
}

std::string percent_text(const json& share) {
    return share.is_number() ? rate_text(json{{"percent", share.get<double>() * 100}}, "percent") + "%" : "-";
}

std::string joined(const json& texts) {
    std::string all;
    for (const json& text : texts) {
        if (text.is_string()) all += (all.empty() ? "" : " ") + printable(text.get<std::string>());
    }
    return all.empty() ? "-" : all;
}

/// Kinds of exits that any VM had, so that a column of noughts takes no room.
std::set<std::string> exit_kinds(const json& vms) {
    std::set<std::string> kinds;
    for (const json& vm : vms) {
        const json exits = member(vm, "exits");
        if (!exits.is_object()) continue;
        for (const auto& [kind, count] : exits.items()) {
            if (count != 0U) kinds.insert(kind);
        }
    }
    return kinds;
}

std::string vm_table(const json& vms) {
    const std::set<std::string> kinds = exit_kinds(vms);
    Row heading{"VM", "STATE", "STARTS", "DEVICES", "CORE", "CPU", "EXITS/S"};
    for (const std::string& kind : kinds) heading.push_back(printable(kind));
    std::vector<Row> rows{heading};
    for (const json& vm : vms) {
        const json rates = member(vm, "exits_per_second");
        Row row{text_of(vm, "name"),
                text_of(vm, "state"),
                text_of(vm, "starts"),
                joined(array_member(vm, "devices")),
                text_of(vm, "core"),
                percent_text(member(vm, "cpu_share")),
                total_text(rates)};
        for (const std::string& kind : kinds) row.push_back(rate_text(rates, kind));
        rows.push_back(row);
    }
    return aligned(rows);
}

std::string device_table(const json& devices) {
    std::vector<Row> rows{{"DEVICE", "ID", "STATE", "HOLDER", "LEASE", "RESET"}};
    for (const json& device : devices) {
        rows.push_back({text_of(device, "location"), text_of(device, "id"), text_of(device, "state"),
                        text_of(device, "holder"), lease_text(device), text_of(device, "reset_kind")});
    }
    return aligned(rows);
}

/// Why it was refused stands beside the state.
std::string end_state_text(const json& end) {
    const std::string state = text_of(end, "state");
    return state == "refused" ? state + " (" + text_of(end, "refusal") + ")" : state;
}

std::string sum_text(const json& counts) {
    std::uint64_t sum = 0;
    for (const json& count : counts) sum += count.is_number_unsigned() ? count.get<std::uint64_t>() : 0;
    return std::to_string(sum);
}

/// One row an end: what its VM sends. Empty when no VMs are linked.
std::string link_table(const json& ends) {
    if (ends.empty()) return {};
    std::vector<Row> rows{
        {"LINK FROM", "TO", "STATE", "PACKETS/S", "BYTES/S", "NOTIFY/S", "INTR/S", "BYTES", "DROPPED"}};
    for (const json& end : ends) {
        const json rates = member(end, "counts_per_second");
        rows.push_back({text_of(end, "vm"), text_of(end, "peer"), end_state_text(end),
                        rate_text(rates, "packets"), rate_text(rates, "bytes"),
                        rate_text(rates, "notifications"), rate_text(rates, "interrupts"),
                        text_of(member(end, "counts"), "bytes"), sum_text(member(end, "drops"))});
    }
    return "\n" + aligned(rows);
}

bool steers_a_terminal(unsigned char c) { return c < 0x20 || c == 0x7f; }

} // namespace

/// C1 characters are 0xc2 0x80..0x9f in UTF-8 and bare bytes elsewhere: of what is no ASCII, only well-formed sequences above
/// them would be harmless, and the drivers' consoles need none.
std::string printable(std::string_view text) {
    std::string clean;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        clean += c == '\t' ? ' ' : steers_a_terminal(byte) || byte >= 0x80 ? '?' : c;
    }
    return clean;
}

std::string top_view(const json& status) {
    const json session = member(status, "session");
    return "  session " + text_of(session, "pid") + ", up " + seconds_text(member(status, "uptime_ms")) +
           ", verdict " + text_of(member(status, "agent"), "verdict") + ", reported " +
           seconds_text(member(status, "report_age_ms")) + " ago\n\n" +
           vm_table(array_member(status, "vms")) + "\n" + device_table(array_member(status, "devices")) +
           link_table(array_member(status, "link_ends"));
}

} // namespace casemate::session
