// SPDX-License-Identifier: Apache-2.0
// See principal.hpp.
#include "attest/verifier/principal.hpp"

namespace casemate::verifier {

namespace {

constexpr std::size_t max_name = 32;
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz0123456789._-";

} // namespace

const char* name_of(Role role) {
    switch (role) {
    case Role::viewer: return "viewer";
    case Role::operator_: return "operator";
    case Role::owner: return "owner";
    }
    return "viewer";
}

std::string actor_of(const Principal& principal) {
    if (principal.name == first_operator) return principal.name;
    return principal.name + " (" + name_of(principal.role) + ")";
}

std::optional<Role> role_named(std::string_view word) {
    for (const Role role : {Role::viewer, Role::operator_, Role::owner})
        if (word == name_of(role)) return role;
    return std::nullopt;
}

bool is_operator_name(std::string_view name) {
    if (name.empty() || name.size() > max_name || letters.find(name[0]) == std::string_view::npos) return false;
    if (name == first_operator || name == "verifier") return false;
    return name.find_first_not_of(name_characters) == std::string_view::npos;
}

} // namespace casemate::verifier
