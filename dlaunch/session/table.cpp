// SPDX-License-Identifier: Apache-2.0
// See table.hpp.
#include "dlaunch/session/table.hpp"

#include <algorithm>
#include <vector>

namespace casemate::session {

namespace {

std::string text_of(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return "-";
    return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string shortened(const std::string& id) { return id.size() > 12 ? id.substr(0, 12) : id; }

std::string lease_of(const nlohmann::json& device) {
    const auto left = device.find("lease_ms_left");
    if (left == device.end() || !left->is_number_unsigned() || *left == 0U) return "-";
    return std::to_string(left->get<std::uint64_t>() / 1000) + " s";
}

std::string image_of(const nlohmann::json& report, const std::string& vm) {
    for (const auto& candidate : report.at("vms")) {
        if (text_of(candidate, "name") == vm) return shortened(text_of(candidate, "vm_id"));
    }
    return "-";
}

Row row_of(const nlohmann::json& report, const nlohmann::json& device) {
    const std::string holder = text_of(device, "holder");
    return {text_of(device, "location"), text_of(device, "id"),   text_of(device, "state"),
            holder,                      image_of(report, holder), shortened(text_of(device, "grant_id")),
            lease_of(device),            text_of(device, "reset_kind")};
}

} // namespace

std::string aligned(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const Row& row : rows) {
        std::string line = " ";
        for (std::size_t i = 0; i < row.size(); ++i) line += " " + row[i] + std::string(widths[i] - row[i].size() + 1, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string custody_table(const nlohmann::json& report) {
    std::vector<Row> rows{{"DEVICE", "ID", "STATE", "HOLDER", "VM_ID", "GRANT", "LEASE", "RESET"}};
    for (const auto& device : report.at("devices")) rows.push_back(row_of(report, device));
    return aligned(rows);
}

} // namespace casemate::session
