// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/secret_mailbox.hpp"

#include "attest/secret/messages.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace casemate;
using devices::SecretMailbox;

// What can be sealed fits.
static_assert(SecretMailbox::max_secret == secret::max_secret && SecretMailbox::max_name == secret::max_name);

namespace {

std::vector<std::uint8_t> read(SecretMailbox& mailbox, std::size_t count) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(mailbox.read_port(SecretMailbox::port, 1)));
    return bytes;
}

const std::vector<std::uint8_t> some_secret{7, 0, 9};

} // namespace

TEST_CASE("a secret is read once, and ones after it, as of a port that nobody has", "[secret]") {
    SecretMailbox mailbox;
    CHECK(mailbox.empty());
    CHECK(read(mailbox, 3) == std::vector<std::uint8_t>(3, 0xff));
    REQUIRE(mailbox.put("key", some_secret));
    CHECK_FALSE(mailbox.empty());
    CHECK(read(mailbox, 8) == std::vector<std::uint8_t>{3, 'k', 'e', 'y', 3, 7, 0, 9});
    CHECK(mailbox.empty());
    CHECK(read(mailbox, 200) == std::vector<std::uint8_t>(200, 0xff));
    CHECK(mailbox.put("next", some_secret));
}

TEST_CASE("a mailbox that is not empty takes nothing, and a reset wipes it", "[secret]") {
    SecretMailbox mailbox;
    REQUIRE(mailbox.put("key", some_secret));
    CHECK_FALSE(mailbox.put("other", some_secret));
    CHECK(read(mailbox, 2) == std::vector<std::uint8_t>{3, 'k'});
    CHECK_FALSE(mailbox.put("other", some_secret));
    mailbox.reset();
    CHECK(mailbox.empty());
    CHECK(read(mailbox, 8) == std::vector<std::uint8_t>(8, 0xff));
    REQUIRE(mailbox.put("other", some_secret));
    CHECK(read(mailbox, 6) == std::vector<std::uint8_t>{5, 'o', 't', 'h', 'e', 'r'});
}

TEST_CASE("the longest secret fits, longer ones and empty ones do not", "[secret]") {
    SecretMailbox mailbox;
    const std::vector<std::uint8_t> longest(SecretMailbox::max_secret, 0xEE), longer(SecretMailbox::max_secret + 1, 0xEE);
    const std::string name(SecretMailbox::max_name, 'n');
    CHECK_FALSE(mailbox.put(name, longer));
    CHECK_FALSE(mailbox.put(name + "n", longest));
    CHECK_FALSE(mailbox.put("", longest));
    CHECK_FALSE(mailbox.put(name, {}));
    CHECK(mailbox.empty());
    REQUIRE(mailbox.put(name, longest));
    const auto bytes = read(mailbox, 2 + name.size() + longest.size());
    CHECK(bytes.front() == name.size());
    CHECK(bytes.back() == 0xEE);
    CHECK(mailbox.empty());
}

TEST_CASE("what the guest writes to the mailbox does nothing", "[secret]") {
    SecretMailbox mailbox;
    mailbox.write_port(SecretMailbox::port, 1, 5);
    CHECK(mailbox.empty());
    REQUIRE(mailbox.put("key", some_secret));
    mailbox.write_port(SecretMailbox::port, 1, 0);
    CHECK(read(mailbox, 1) == std::vector<std::uint8_t>{3});
}
