// SPDX-License-Identifier: Apache-2.0
// Questions about a policy and their answers as sentences, one a line. Host only.
#pragma once

#include "policy/model/policy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace casemate::policy {

struct Answer {
    bool yes = false; // somebody may hold it; they can talk; nothing differs
    std::vector<std::string> sentences{};
};

[[nodiscard]] Answer who_can_hold(const Policy& policy, const DeviceAddress& device);
/// Over a link; and, if there is none, by way of which other VMs.
[[nodiscard]] Answer can_talk(const Policy& policy, std::string_view one, std::string_view other);
/// What a change of the policy changes, by the names of VMs, the addresses of devices and the ends of links.
[[nodiscard]] Answer difference(const Policy& before, const Policy& after);

} // namespace casemate::policy
