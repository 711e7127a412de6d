// SPDX-License-Identifier: Apache-2.0
#include "attest/appraise/key_register.hpp"

#include <catch2/catch.hpp>

using namespace casemate::attest;

namespace {

KeyId id(std::uint8_t byte) {
    KeyId made{};
    made.fill(byte);
    return made;
}

} // namespace

TEST_CASE("a register without keys of a purpose says nothing, one with some knows all that count", "[appraise]") {
    CHECK(state_of({}, KeyPurpose::owner, id(1), 10) == KeyState::good);
    const RegisteredKey keys[] = {{id(1), KeyPurpose::owner, 5, 15}};
    CHECK(state_of(keys, KeyPurpose::grant, id(2), 10) == KeyState::good);
    CHECK(state_of(keys, KeyPurpose::owner, id(2), 10) == KeyState::unknown);
    const RegisteredKey other[] = {{id(1), KeyPurpose::owner, 5, 15}, {id(2), KeyPurpose::grant, 5, 15}};
    CHECK(state_of(other, KeyPurpose::grant, id(1), 10) == KeyState::unknown); // known, for the other purpose
}

TEST_CASE("a key counts from its first to its last millisecond, by any certificate, until it is revoked", "[appraise]") {
    const RegisteredKey keys[] = {{id(1), KeyPurpose::owner, 5, 15}, {id(1), KeyPurpose::owner, 20, 30}};
    const auto at = [&](std::uint64_t now) { return state_of(keys, KeyPurpose::owner, id(1), now); };
    CHECK(at(4) == KeyState::not_yet_valid);
    CHECK(at(5) == KeyState::good);
    CHECK(at(15) == KeyState::good);
    CHECK(at(16) == KeyState::not_yet_valid); // between the two
    CHECK(at(20) == KeyState::good);
    CHECK(at(30) == KeyState::good);
    CHECK(at(31) == KeyState::expired);
    const RegisteredKey revoked[] = {{id(1), KeyPurpose::owner, 5, 15, true}, {id(1), KeyPurpose::owner, 5, 15}};
    CHECK(state_of(revoked, KeyPurpose::owner, id(1), 10) == KeyState::revoked);
}
