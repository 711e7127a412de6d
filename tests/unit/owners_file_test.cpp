// SPDX-License-Identifier: Apache-2.0
// Certificates of signing keys, and the owners' file that names them: who is refused, each with his own words.
#include "policy/compiler/owners_file.hpp"
#include "tests/unit/owner_sample.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace casemate;
using namespace casemate::policy;
using test::CertifiedKey;

namespace {

constexpr std::int64_t day = 24 * 3600, today = 20'000 * day; // seconds

cose::CertificateError error_of(const std::vector<std::uint8_t>& der) {
    const auto parsed = cose::parse_key_certificate(der);
    return parsed.ok() ? cose::CertificateError::none : parsed.error();
}

/// Four people and their certificates, as files.
struct Room {
    CertifiedKey alice, bob, carol, approver;
    std::map<std::string, std::vector<std::uint8_t>> files{
        {"alice", alice.certificate(today - day, today + day)},   {"bob", bob.certificate(today - day, today + day)},
        {"carol", carol.certificate(today - day, today + day)},   {"approval", approver.certificate(today - day, today + day)},
        {"late", carol.certificate(today - 2 * day, today - day)}, {"early", carol.certificate(today + day, today + 2 * day)}};

    [[nodiscard]] Owners read(const std::string& text) const {
        const auto file = [this](const std::string& name) -> Result<std::vector<std::uint8_t>, cose::CertificateError> {
            const auto found = files.find(name);
            if (found == files.end()) return Failure{cose::CertificateError::cannot_read};
            return found->second;
        };
        return read_owners(text, file, today * 1000);
    }
    /// The only problem's words.
    [[nodiscard]] std::string refusal(const std::string& text) const {
        const Owners owners = read(text);
        return owners.problems.empty() ? "" : owners.problems.front().what;
    }
};

std::string owners_file(const std::string& members, int threshold = 2, const std::string& rest = "") {
    return "threshold = " + std::to_string(threshold) + "\nowners = [" + members + "]\napproval_key = \"approval\"\n" + rest;
}

bool contains(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

} // namespace

TEST_CASE("a signing key's certificate says its key, name and time", "[owners]") {
    const CertifiedKey key;
    const auto parsed = cose::parse_key_certificate(key.certificate(today, today + day));
    REQUIRE(parsed.ok());
    CHECK(parsed.value().key == key.signer().public_key());
    CHECK(parsed.value().name == "owner");
    CHECK(parsed.value().not_before == today * 1000);
    CHECK(parsed.value().not_after == (today + day) * 1000);
    CHECK(cose::out_of_date(parsed.value(), (today - 1) * 1000) == "counts from " + cose::date_text(today * 1000) + " only");
    CHECK(cose::out_of_date(parsed.value(), today * 1000).empty());
    CHECK(cose::out_of_date(parsed.value(), (today + day) * 1000).empty());
    CHECK(cose::out_of_date(parsed.value(), (today + day + 1) * 1000) == "has expired at " + cose::date_text((today + day) * 1000));
    CHECK(cose::date_text(0) == "1970-01-01T00:00:00Z");
}

TEST_CASE("a certificate that is none of a signing key is refused", "[owners]") {
    const CertifiedKey key, other;
    const auto der = key.certificate(today, today + day);
    CHECK(error_of({}) == cose::CertificateError::not_one_certificate);
    CHECK(error_of(std::vector<std::uint8_t>(5000, 0x30)) == cose::CertificateError::not_one_certificate);
    for (std::size_t size = 0; size < der.size(); ++size)
        CHECK(error_of({der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size)}) != cose::CertificateError::none);
    auto longer = der;
    longer.push_back(0);
    CHECK(error_of(longer) == cose::CertificateError::not_one_certificate);
    auto changed = der;
    changed.back() ^= 1;
    CHECK(error_of(changed) == cose::CertificateError::not_self_signed);
    CHECK(error_of(key.certificate(today, today + day, {.issuer = &other})) == cose::CertificateError::not_self_signed);
    CHECK(error_of(key.certificate(today, today + day, {.constraints = "critical,CA:TRUE", .usage = "critical,keyCertSign"})) ==
          cose::CertificateError::not_a_signing_key);
    CHECK(error_of(key.certificate(today, today + day, {.usage = "critical,digitalSignature,keyAgreement"})) ==
          cose::CertificateError::not_a_signing_key);
    CHECK(error_of(key.certificate(today, today + day, {.name = "a\nb"})) == cose::CertificateError::name);
    CHECK(error_of(key.certificate(today + day, today)) == cose::CertificateError::dates);
}

TEST_CASE("an owners' file makes the set, in whatever order it names them", "[owners]") {
    const Room room;
    const Owners owners = room.read(owners_file(R"("alice", "bob", "carol")"));
    REQUIRE(owners.problems.empty());
    CHECK(owners.encoded() == room.read(owners_file(R"("carol", "alice", "bob")")).encoded());
    OwnerSet set;
    const auto bytes = owners.encoded();
    REQUIRE(set.read(bytes));
    CHECK(set.threshold() == 2);
    CHECK(set.count() == 3);
    CHECK(equal(set.approval_key(), room.approver.signer().public_key()));
    const Owners one = room.read("threshold = 1\nowners = [\"alice\"]\napproval_key = \"alice\"\n");
    REQUIRE(one.problems.empty());
    CHECK(equal(one.encoded(), room.alice.signer().public_key()));
}

TEST_CASE("an owner whose key is expired, not yet valid, revoked, unknown or there twice is refused", "[owners]") {
    const Room room;
    CHECK(contains(room.refusal(owners_file(R"("alice", "late")")), "has expired"));
    CHECK(contains(room.refusal(owners_file(R"("alice", "early")")), "counts from"));
    CHECK(contains(room.refusal(owners_file(R"("alice", "nobody")")), "cannot be read"));
    CHECK(contains(room.refusal(owners_file(R"("alice", "alice")")), "twice"));
    const std::string revoked = "revoked = [\"" + room.bob.id() + "\"]\n";
    CHECK(contains(room.refusal(owners_file(R"("alice", "bob")", 2, revoked)), "bob: the key is revoked"));
    CHECK(room.refusal(owners_file(R"("alice", "carol")", 2, revoked)).empty());
    CHECK(contains(room.refusal(owners_file(R"("alice", "bob")", 3)), "threshold"));
    CHECK(contains(room.refusal(owners_file(R"("alice", "bob")", 0)), "threshold"));
    CHECK(contains(room.refusal(owners_file("")), "1 to 5"));
    CHECK(contains(room.refusal(owners_file(R"("alice")", 1)), "his own key"));
    CHECK(contains(room.refusal(owners_file(R"("alice", "bob")", 2, "master = \"carol\"\n")), "unknown key 'master'"));
    CHECK(contains(room.refusal("\xc2\xbf#"), "printable ASCII"));
    CHECK(contains(room.refusal("[#"), "no TOML"));
    CHECK(contains(room.refusal(std::string(65'537, ' ')), "64 KiB"));
    CHECK_FALSE(room.read("threshold = ").problems.empty());
}
