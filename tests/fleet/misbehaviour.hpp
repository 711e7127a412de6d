// SPDX-License-Identifier: Apache-2.0
// Everything that a platform may do wrong, by name, with the word that it must be refused with. A new row is all that a new
// one needs.
#pragma once

#include <span>

#include "tests/fleet/player.hpp"

namespace casemate::fleet {

struct Misbehaviour {
    const char* name;
    const char* expected; // Reply::word(), or "closed": the service ended the connection
    bool enrolled;        // whether the player is enrolled, and has its grants, before
    /// `other` is an enrolled platform that does nothing wrong.
    Task<std::string> (*play)(Player& player, Player& other);
};

[[nodiscard]] std::span<const Misbehaviour> enrolment_misbehaviours();
[[nodiscard]] std::span<const Misbehaviour> quote_misbehaviours();
[[nodiscard]] std::span<const Misbehaviour> log_misbehaviours();
[[nodiscard]] std::span<const Misbehaviour> request_misbehaviours();
/// All of them, in this order.
[[nodiscard]] std::vector<Misbehaviour> misbehaviours();

} // namespace casemate::fleet
