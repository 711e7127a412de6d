// SPDX-License-Identifier: Apache-2.0
// See key_register.hpp.
#include "attest/appraise/key_register.hpp"

namespace casemate::attest {

KeyState state_of(std::span<const RegisteredKey> keys, KeyPurpose purpose, const KeyId& id, std::uint64_t now) {
    bool any = false, known = false, in_date = false, early = false;
    for (const RegisteredKey& key : keys) {
        if (key.purpose != purpose) continue;
        any = true;
        if (key.id != id) continue;
        known = true;
        if (key.revoked) return KeyState::revoked;
        early = early || now < key.not_before;
        in_date = in_date || (key.not_before <= now && now <= key.not_after);
    }
    if (!any || in_date) return KeyState::good;
    if (!known) return KeyState::unknown;
    return early ? KeyState::not_yet_valid : KeyState::expired;
}

} // namespace casemate::attest
