// SPDX-License-Identifier: Apache-2.0
// Reads the keys of one TOML table and reports what is missing, of the wrong type or unknown, each with its line.
// Used by toml_source.cpp only.
#pragma once

#include "policy/compiler/toml_library.hpp"
#include "policy/compiler/toml_source.hpp"

#include <limits>
#include <set>

namespace casemate::policy {

class Fields {
public:
    Fields(const toml::table& table, std::vector<Problem>& problems) : table_{table}, problems_{problems} {}
    /// Reports every key that nobody asked for.
    ~Fields();
    Fields(const Fields&) = delete;
    Fields& operator=(const Fields&) = delete;

    std::string text(const char* key);
    std::vector<std::string> texts(const char* key);
    /// The tables of [[key]]; none is fine.
    std::vector<const toml::table*> tables(const char* key);
    /// The table of [key]; null when it is not there, which is fine.
    const toml::table* table(const char* key);
    /// 0..limit; 0 after a problem.
    std::uint64_t number_up_to(const char* key, std::uint64_t limit);
    template <typename Integer>
    Integer number(const char* key) {
        return static_cast<Integer>(number_up_to(key, std::numeric_limits<Integer>::max()));
    }
    template <std::size_t capacity>
    void text_into(const char* key, Text<capacity>& field) {
        if (!field.assign(text(key)))
            bad(key, "'" + std::string{key} + "' is longer than " + std::to_string(capacity) + " characters");
    }
    /// A problem of a value that was read; nothing when the key is missing (reported already).
    void bad(const char* key, std::string what);

private:
    const toml::node* find(const char* key);
    void report(const toml::node& node, std::string what);

    const toml::table& table_;
    std::vector<Problem>& problems_;
    std::set<std::string> known_;
};

} // namespace casemate::policy
