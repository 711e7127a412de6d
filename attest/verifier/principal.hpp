// SPDX-License-Identifier: Apache-2.0
// Who calls: the roles of operators and the name that the audit trail knows a caller by.
// A role never comes from the request: it stands beside the certificate in the operators' file (operators.hpp) or
// beside the token's digest in the store. Each role may do what the ones before it may.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace casemate::verifier {

enum class Role {
    viewer,    // reads
    operator_, // stops things: revocation, quarantine, release; looks ahead: dry run
    owner,     // decides what is trusted: reference values, inventory, tokens, rules
};

struct Principal {
    std::string name; // of an operator; a platform's is its id
    Role role = Role::viewer;
};

/// Who shows the token of `--operator-token`; no other operator has this name.
inline constexpr const char* first_operator = "operator";

[[nodiscard]] const char* name_of(Role role);
/// What the audit trail calls an operator: name and role, "olga (owner)"; the first operator is just "operator".
[[nodiscard]] std::string actor_of(const Principal& principal);
[[nodiscard]] std::optional<Role> role_named(std::string_view word);

/// 1-32 of a-z 0-9 . _ - and first a letter, and none of the words that the audit trail uses itself.
[[nodiscard]] bool is_operator_name(std::string_view name);

/// What a TLS client certificate says after its path, purpose and dates were good at the handshake.
struct ClientCertificate {
    std::string fingerprint; // SHA-256 of the DER, lower-case hex
    std::string subject;     // RFC 2253
    std::int64_t not_after = 0; // milliseconds since the Unix epoch
};

} // namespace casemate::verifier
