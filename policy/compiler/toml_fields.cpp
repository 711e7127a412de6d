// SPDX-License-Identifier: Apache-2.0
// See toml_fields.hpp.
#include "policy/compiler/toml_fields.hpp"

namespace casemate::policy {
namespace {

std::string quoted(std::string_view key) { return "'" + std::string{key} + "'"; }

} // namespace

Fields::~Fields() {
    for (const auto& [key, node] : table_)
        if (!known_.contains(std::string{key.str()})) report(node, "unknown key " + quoted(key.str()));
}

void Fields::report(const toml::node& node, std::string what) {
    problems_.push_back({node.source().begin.line, std::move(what)});
}

void Fields::bad(const char* key, std::string what) {
    if (const toml::node* node = table_.get(key)) report(*node, std::move(what));
}

const toml::node* Fields::find(const char* key) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) report(table_, quoted(key) + " is missing");
    return node;
}

std::string Fields::text(const char* key) {
    const toml::node* node = find(key);
    if (node == nullptr) return {};
    if (const auto value = node->value_exact<std::string>()) return *value;
    report(*node, quoted(key) + " must be a text");
    return {};
}

std::uint64_t Fields::number_up_to(const char* key, std::uint64_t limit) {
    const toml::node* node = find(key);
    if (node == nullptr) return 0;
    const auto value = node->value_exact<std::int64_t>();
    if (value && *value >= 0 && static_cast<std::uint64_t>(*value) <= limit) return static_cast<std::uint64_t>(*value);
    report(*node, quoted(key) + " must be a whole number from 0 to " + std::to_string(limit));
    return 0;
}

std::vector<std::string> Fields::texts(const char* key) {
    std::vector<std::string> all;
    const toml::node* node = find(key);
    if (node == nullptr) return all;
    const toml::array* array = node->as_array();
    if (array == nullptr || (!array->empty() && !array->is_homogeneous<std::string>())) {
        report(*node, quoted(key) + " must be a list of texts");
        return all;
    }
    for (const toml::node& each : *array) all.push_back(*each.value_exact<std::string>());
    return all;
}

const toml::table* Fields::table(const char* key) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node != nullptr && node->as_table() == nullptr) report(*node, "write [" + std::string{key} + "]");
    return node != nullptr ? node->as_table() : nullptr;
}

std::vector<const toml::table*> Fields::tables(const char* key) {
    std::vector<const toml::table*> all;
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return all;
    const toml::array* array = node->as_array();
    if (array == nullptr || !array->is_homogeneous<toml::table>()) {
        report(*node, "write [[" + std::string{key} + "]]");
        return all;
    }
    for (const toml::node& each : *array) all.push_back(each.as_table());
    return all;
}

} // namespace casemate::policy
