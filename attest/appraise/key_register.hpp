// SPDX-License-Identifier: Apache-2.0
// Which signing keys count when: what the verifier's owner imported of owners' and grant keys, with their dates, and what he revoked.
// Pure: the time comes with the question. A register that has no key of a purpose says nothing about that purpose; one that has some
// knows all that count. Who calls it: reference_match.cpp; the verifier keeps the rows (attest/verifier/key_library.hpp).
#pragma once

#include "dlaunch/measure/crypto.hpp"

#include <span>

namespace casemate::attest {

using KeyId = measure::Sha256Digest; // SHA-256 of the SEC1 point

enum class KeyPurpose : std::uint8_t { owner, grant };

/// One certificate of a key; a key that was renewed has several.
struct RegisteredKey {
    KeyId id{};
    KeyPurpose purpose = KeyPurpose::owner;
    std::uint64_t not_before = 0; // milliseconds since the Unix epoch
    std::uint64_t not_after = 0;
    bool revoked = false;
    bool operator==(const RegisteredKey&) const = default;
};

enum class KeyState : std::uint8_t { good, unknown, not_yet_valid, expired, revoked };

/// A revocation of any certificate of the key ends it; one certificate in date is enough.
[[nodiscard]] KeyState state_of(std::span<const RegisteredKey> keys, KeyPurpose purpose, const KeyId& id, std::uint64_t now);

} // namespace casemate::attest
