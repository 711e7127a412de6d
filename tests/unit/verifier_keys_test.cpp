// SPDX-License-Identifier: Apache-2.0
// Which owners' and grant keys count at the verifier: unknown, early, expired and revoked ones, a threshold of owners, and changes with overlap.
#include <catch2/catch.hpp>

#include "policy/compiler/draft.hpp"
#include "tests/unit/owner_sample.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

constexpr std::int64_t day = 24 * 3600, today = 20'000 * day; // seconds

/// A verifier, and people with certificates.
struct World {
    CertifiedKey alice, bob, carol, grant, next_grant;
    TestVerifier verifier{{}, {}, {}, grant.signer()};

    World() {
        verifier.now = today * 1000;
        verifier.owner = alice.signer();
    }

    Reply import(const CertifiedKey& key, const char* purpose = "owner", std::int64_t from = today - day, std::int64_t until = today + day) {
        const Json body{{"purpose", purpose}, {"certificate", verifier::to_base64(key.certificate(from, until))}};
        return verifier.as_operator("POST", "/v1/keys", body.dump());
    }
    Reply revoke(const CertifiedKey& key) { return verifier.as_operator("POST", "/v1/keys/" + key.id() + "/revocation"); }

    /// A platform whose policy `owners` (OwnerSet's bytes) ask for and `signers` have signed.
    std::unique_ptr<Platform> platform_of(char digit, const Bytes& owners, const std::vector<const CertifiedKey*>& signers,
                                          const std::function<void(policy::Policy&)>& change = {}) {
        auto made = verifier.platform(digit);
        EvidenceBuilder& builder = made->builder;
        if (change) change(builder.policy);
        Bytes bundle;
        if (owners.size() == policy::public_key_size) bundle = policy::sign_alone(encoded(builder.policy), signers.at(0)->signer()).value();
        else bundle = policy::make_draft(encoded(builder.policy), owners).value();
        if (owners.size() != policy::public_key_size)
            for (const CertifiedKey* signer : signers) bundle = policy::add_signature(bundle, owners, signer->signer()).value();
        builder.owner_key = owners;
        builder.bundle = bundle;
        builder.reference_vms.clear();
        builder.accept_this_launch();
        made->relaunch();
        return made;
    }
    [[nodiscard]] Bytes alone(const CertifiedKey& key) const {
        const auto point = key.signer().public_key();
        return {point.begin(), point.end()};
    }
    [[nodiscard]] Bytes set_of(std::uint8_t threshold, std::vector<const CertifiedKey*> members) const {
        std::vector<cose::Signer> keys;
        for (const CertifiedKey* each : members) keys.push_back(each->signer());
        std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.public_key() < b.public_key(); });
        return owner_set(threshold, members.at(0)->signer().public_key(), keys);
    }
    /// The words of evidence of this launch, whose reference set is accepted first.
    std::string words_of(Platform& platform) {
        CHECK(verifier.accept(platform).status == 200);
        return verifier.attest(platform).words();
    }
};

} // namespace

TEST_CASE("without imported keys nothing is said about them, with some every signer must count", "[verifier][keys]") {
    World world;
    const auto platform = world.platform_of('a', world.alone(world.alice), {&world.alice});
    CHECK(world.words_of(*platform).empty());
    REQUIRE(world.import(world.bob).status == 200);
    CHECK(world.verifier.attest(*platform).words() == "owner_key_unknown");
    REQUIRE(world.import(world.alice).status == 200);
    const Reply good = world.verifier.attest(*platform);
    CHECK(good.words().empty());
    CHECK(good.body["grants"].size() == 2);
}

TEST_CASE("a policy signed by an early, expired or revoked key is refused, each with its own word, and its leases are not renewed", "[verifier][keys]") {
    World world;
    const auto platform = world.platform_of('a', world.alone(world.alice), {&world.alice});
    REQUIRE(world.import(world.alice, "owner", today - day, today + day).status == 200);
    CHECK(world.words_of(*platform).empty());
    const auto refused = [&](const std::string& word) {
        const Reply reply = world.verifier.attest(*platform);
        CHECK(reply.words() == word);
        CHECK(reply.body["verdict"] == "contraindicated");
        CHECK(reply.body["grants"].empty());
    };
    world.verifier.now = (today - day) * 1000 - 1;
    world.verifier.renew(*platform);
    refused("owner_key_not_yet_valid");
    world.verifier.now = (today + day) * 1000 + 1;
    world.verifier.renew(*platform);
    refused("owner_key_expired");
    REQUIRE(world.import(world.alice, "owner", today, today + 9 * day).status == 200); // renewed: the same key, a new certificate
    CHECK(world.verifier.attest(*platform).words().empty());
    CHECK(world.revoke(world.alice).status == 200);
    refused("owner_key_revoked");
    CHECK(world.import(world.alice, "owner", today, today + 99 * day).code() == "key_revoked");
    CHECK(world.revoke(world.alice).code() == "key_unknown");
}

TEST_CASE("of several owners those count who have signed", "[verifier][keys]") {
    World world;
    const Bytes set = world.set_of(2, {&world.alice, &world.bob, &world.carol});
    for (const CertifiedKey* each : {&world.alice, &world.bob, &world.carol}) REQUIRE(world.import(*each).status == 200);
    const auto by_two = world.platform_of('a', set, {&world.carol, &world.alice});
    CHECK(world.words_of(*by_two).empty());
    CHECK(world.revoke(world.bob).status == 200); // who did not sign
    CHECK(world.verifier.attest(*by_two).words().empty());
    CHECK(world.revoke(world.carol).status == 200);
    CHECK(world.verifier.attest(*by_two).words() == "owner_key_revoked");
}

TEST_CASE("a reference set with m-1 signatures, or that names other owners than its bundle, is refused", "[verifier][keys]") {
    World world;
    const Bytes set = world.set_of(2, {&world.alice, &world.bob, &world.carol});
    const auto draft = world.platform_of('a', set, {&world.alice});
    const Reply reply = world.verifier.accept(*draft);
    CHECK(reply.status == 400);
    CHECK(reply.body.dump().find(policy::describe(policy::BundleError::threshold)) != std::string::npos);
    const auto good = world.platform_of('b', set, {&world.alice, &world.bob});
    Json document = TestVerifier::reference(*good);
    CHECK(world.verifier.as_operator("POST", "/v1/reference", document.dump()).status == 200);
    document["owner_key"] = verifier::to_hex(world.set_of(1, {&world.alice, &world.bob, &world.carol}));
    CHECK(world.verifier.as_operator("POST", "/v1/reference", document.dump()).status == 400);
    document["owner_key"] = verifier::to_hex(world.alone(world.alice)); // one of them is not all of them
    CHECK(world.verifier.as_operator("POST", "/v1/reference", document.dump()).status == 400);
}

TEST_CASE("m-1 thieves with a policy of their own get another authority, and nothing", "[verifier][keys]") {
    World world;
    const auto good = world.platform_of('a', world.set_of(2, {&world.alice, &world.bob, &world.carol}), {&world.alice, &world.bob});
    CHECK(world.words_of(*good).empty());
    const auto stolen = world.platform_of('b', world.set_of(1, {&world.alice, &world.bob, &world.carol}), {&world.alice});
    const std::string words = world.verifier.attest(*stolen).words();
    CHECK(words.find("owner_key_differs") != std::string::npos);
}

TEST_CASE("old and new owners are both accepted in their windows", "[verifier][keys]") {
    World world;
    const auto old_build = world.platform_of('a', world.alone(world.alice), {&world.alice});
    const auto new_build = world.platform_of('b', world.set_of(2, {&world.bob, &world.carol}), {&world.bob, &world.carol});
    Json ending = TestVerifier::reference(*old_build);
    ending["not_after"] = cose::date_text((today + day) * 1000);
    CHECK(world.verifier.as_operator("POST", "/v1/reference", ending.dump()).status == 200);
    CHECK(world.words_of(*new_build).empty());
    CHECK(world.verifier.attest(*old_build).words().empty());
    world.verifier.now = (today + day) * 1000 + 1;
    for (Platform* each : {old_build.get(), new_build.get()}) world.verifier.renew(*each);
    CHECK(world.verifier.attest(*old_build).words() == "reference_expired");
    CHECK(world.verifier.attest(*new_build).words().empty());
}

TEST_CASE("an older epoch is refused whoever signed it", "[verifier][keys]") {
    World world;
    const auto old_policy = world.platform_of('a', world.set_of(2, {&world.alice, &world.bob}), {&world.alice, &world.bob});
    CHECK(world.words_of(*old_policy).empty());
    CHECK(world.verifier.as_operator("POST", "/v1/rules", R"({"minimum_policy_epoch":8})").status == 200);
    CHECK(world.verifier.attest(*old_policy).words() == "policy_epoch_low");
}

TEST_CASE("a grant key that is unknown, early, expired or revoked signs nothing more", "[verifier][keys]") {
    World world;
    const auto platform = world.platform_of('a', world.alone(world.alice), {&world.alice});
    CHECK(world.words_of(*platform).empty());
    REQUIRE(world.import(world.next_grant, "grant").status == 200);
    CHECK(world.verifier.attest(*platform).words() == "grant_key_unknown");
    REQUIRE(world.import(world.grant, "grant", today, today + day).status == 200);
    CHECK(world.verifier.attest(*platform).words().empty());
    world.verifier.now = (today + day) * 1000 + 1;
    world.verifier.renew(*platform);
    CHECK(world.verifier.attest(*platform).words() == "grant_key_expired");
    world.verifier.now = today * 1000 - 1;
    world.verifier.renew(*platform);
    CHECK(world.verifier.attest(*platform).words() == "grant_key_not_yet_valid");
    world.verifier.now = today * 1000;
    CHECK(world.revoke(world.grant).status == 200);
    const Reply reply = world.verifier.attest(*platform);
    CHECK(reply.words() == "grant_key_revoked");
    CHECK(reply.body["grants"].empty());
}

TEST_CASE("a policy that still names a revoked grant key is refused, although this verifier signs with the other", "[verifier][keys]") {
    World world;
    const auto both = world.platform_of('a', world.alone(world.alice), {&world.alice}, [&](policy::Policy& policy) {
        policy.grant_key = world.next_grant.signer().public_key();
        policy.next_grant_key = world.grant.signer().public_key();
    });
    CHECK(world.words_of(*both).empty()); // ours is the second
    REQUIRE(world.import(world.grant, "grant").status == 200);
    REQUIRE(world.import(world.next_grant, "grant", today - 9 * day, today - day).status == 200);
    CHECK(world.verifier.attest(*both).words().empty()); // expired: until the next policy drops it
    CHECK(world.revoke(world.next_grant).status == 200);
    CHECK(world.verifier.attest(*both).words() == "grant_key_revoked");
}

TEST_CASE("a verifier with a new grant key renews and revokes what it granted under the old one", "[verifier][keys]") {
    World world;
    const auto platform = world.platform_of('a', world.alone(world.alice), {&world.alice}, [&](policy::Policy& policy) {
        policy.next_grant_key = world.next_grant.signer().public_key();
    });
    CHECK(world.words_of(*platform).empty());
    REQUIRE(world.verifier.store->grants(10).size() == 2);
    const auto successor = [&](std::optional<cose::PublicPoint> previous) {
        auto opened = store::open_sqlite_store(world.verifier.directory / "db");
        verifier::ServiceParts parts{std::move(opened), world.next_grant.signer(), {}, operator_token, {}, [&] { return world.verifier.now; }, {}};
        parts.previous_grant_key = previous;
        return std::make_unique<verifier::Service>(std::move(parts));
    };
    world.verifier.service = successor(world.grant.signer().public_key());
    const Reply again = world.verifier.attest(*platform); // the gates are open still: the same grants, signed anew
    REQUIRE(again.body["grants"].size() == 2);
    for (const Json& each : again.body["grants"]) {
        const Bytes message = *verifier::from_base64(each.get<std::string>());
        const auto by = [&](const CertifiedKey& key) {
            return grant::verify(message, measure::P256PublicKey::create(key.signer().public_key()).value()).ok();
        };
        CHECK(by(world.next_grant));
        CHECK_FALSE(by(world.grant));
    }
    world.verifier.service = successor({}); // and one that was told of no other key takes no grant of it for its own
    const std::string id = world.verifier.as_operator("GET", "/v1/grants").body["grants"][0]["grant_id"];
    CHECK(world.verifier.as_operator("POST", "/v1/grants/" + id + "/revocation").status == 200); // signed anew above
}

TEST_CASE("keys are listed, audited, and only what is a certificate of a signing key is imported", "[verifier][keys]") {
    World world;
    const Json once{{"purpose", "owner"}, {"certificate", verifier::to_base64(world.alice.certificate(today, today + day))}};
    CHECK(world.verifier.as_operator("POST", "/v1/keys", once.dump()).body["key_id"] == world.alice.id());
    CHECK(world.verifier.as_operator("POST", "/v1/keys", once.dump()).code() == "key_known");
    CHECK(world.import(world.alice, "grant", today, today + 2 * day).code() == "key_purpose");
    CHECK(world.import(world.bob, "audit").code() == "key");
    const auto post = [&](const Json& body) { return world.verifier.as_operator("POST", "/v1/keys", body.dump()); };
    const std::string good = verifier::to_base64(world.bob.certificate(today, today + day));
    CHECK(post({{"purpose", "owner"}, {"certificate", "AAAA"}}).code() == "key");
    CHECK(post({{"purpose", "owner"}, {"certificate", good}, {"days", 9}}).status == 400);
    CHECK(post({{"purpose", "owner"}}).status == 400);
    CHECK(world.verifier.as_operator("POST", "/v1/keys/" + std::string(64, '0') + "/revocation").status == 404);
    CHECK(world.revoke(world.alice).status == 200);
    const Json keys = world.verifier.as_operator("GET", "/v1/keys").body["keys"];
    REQUIRE(keys.size() == 1);
    CHECK(keys[0]["state"] == "revoked");
    CHECK(keys[0]["purpose"] == "owner");
    const auto trail = world.verifier.store->audit_rows(20);
    const auto has = [&](const char* action) {
        return std::any_of(trail.begin(), trail.end(), [&](const auto& row) { return row.action == action && row.object == world.alice.id(); });
    };
    CHECK(has("add_key"));
    CHECK(has("revoke_key"));
}

TEST_CASE("a stored verdict is judged again by the keys of then", "[verifier][keys]") {
    World world;
    const auto platform = world.platform_of('a', world.alone(world.alice), {&world.alice});
    REQUIRE(world.import(world.alice).status == 200);
    REQUIRE(world.import(world.grant, "grant").status == 200);
    CHECK(world.words_of(*platform).empty());
    CHECK(world.revoke(world.alice).status == 200);
    CHECK(world.verifier.attest(*platform).words() == "owner_key_revoked");
    for (const auto& result : world.verifier.store->results(2)) {
        const Reply again = world.verifier.as_operator("POST", "/v1/results/" + std::to_string(result.id) + "/appraisal");
        CHECK(again.body["same"] == true);
        CHECK(again.body["verdict"] == result.verdict);
    }
}
