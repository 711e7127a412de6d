// SPDX-License-Identifier: Apache-2.0
// Bundles of several owners: what each adversary of the threshold may try, against open_bundle() and verify_bundle() as the SLB calls them,
// and the way of a draft from owner to owner.
#include "policy/compiler/draft.hpp"
#include "tests/unit/hex.hpp"
#include "tests/unit/owner_sample.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace casemate;
using namespace casemate::policy;
using casemate::test::encoded;
using casemate::test::owner_keys;
using casemate::test::owner_set;
using casemate::test::sample_policy;

namespace {

const std::vector<cose::Signer>& keys() {
    static const std::vector<cose::Signer> all = owner_keys(3);
    return all;
}

const cose::Signer& approval() {
    static const cose::Signer key = cose::Signer::generate().value();
    return key;
}

Bytes two_of_three() { return owner_set(2, approval().public_key(), keys()); }
Bytes draft() { return make_draft(encoded(sample_policy()), two_of_three()).value(); }
Bytes signed_by(std::initializer_list<std::size_t> owners) {
    Bytes bundle = draft();
    for (const std::size_t owner : owners) bundle = add_signature(bundle, two_of_three(), keys()[owner]).value();
    return bundle;
}

BundleError error_of(ByteView bytes) {
    const auto bundle = open_bundle(bytes);
    if (!bundle.ok()) return bundle.error();
    const auto verified = verify_bundle(bundle.value());
    return verified.ok() ? BundleError::none : verified.error();
}

/// What somebody writes who keeps to no rule: any header, any signatures under any signer's headers.
struct Forged {
    Bytes header = header_of(two_of_three());
    Bytes payload = encoded(sample_policy());
    std::vector<std::pair<Bytes, Bytes>> signatures{}; // signer's header, signature

    static Bytes header_of(const Bytes& owners) {
        Bytes buffer(cose::max_body_protected);
        buffer.resize(encode_bundle_header(owners, buffer).size());
        return buffer;
    }
    Forged& sign(const cose::Signer& key, const Bytes& signer) {
        const auto signature = key.sign(cose::SignedBytes{header, payload, signer}).value();
        signatures.emplace_back(signer, Bytes{signature.begin(), signature.end()});
        return *this;
    }
    Forged& sign(std::size_t owner) { return sign(keys()[owner], place(static_cast<std::uint8_t>(owner))); }
    static Bytes place(std::uint8_t number) {
        const auto header = signer_header(number);
        return {header.begin(), header.end()};
    }
    [[nodiscard]] Bytes bytes() const {
        cose::Sign message;
        message.protected_header = header;
        message.payload = payload;
        for (const auto& [signer, signature] : signatures) message.signatures[message.count++] = {signer, signature};
        Bytes buffer(payload.size() + 1024);
        CborWriter out{buffer};
        cose::write_sign(out, message);
        buffer.resize(out.size());
        return buffer;
    }
    [[nodiscard]] BundleError error() const { return error_of(bytes()); }
};

} // namespace

TEST_CASE("any two of three owners make a bundle, and all say the same authority", "[owners]") {
    std::set<Bytes> authorities;
    for (const auto& [first, second] : {std::pair{0, 1}, {0, 2}, {1, 2}, {2, 0}}) {
        const Bytes bytes = signed_by({static_cast<std::size_t>(first), static_cast<std::size_t>(second)});
        CHECK(error_of(bytes) == BundleError::none);
        const auto bundle = open_bundle(bytes).value();
        authorities.emplace(bundle.owners.bytes().begin(), bundle.owners.bytes().end());
        CHECK(bundle.signer(0) == std::min(first, second)); // whoever signed first
        CHECK(bundle.signer(1) == std::max(first, second));
        CHECK(equal(bundle.payload(), encoded(sample_policy())));
    }
    CHECK(authorities == std::set<Bytes>{two_of_three()});
}

TEST_CASE("a set says its threshold, its owners and its approval key", "[owners]") {
    const Bytes bytes = two_of_three();
    OwnerSet set;
    REQUIRE(set.read(bytes));
    CHECK(set.threshold() == 2);
    CHECK(set.count() == 3);
    CHECK(equal(set.approval_key(), approval().public_key()));
    for (std::size_t i = 0; i < 3; ++i) CHECK(equal(set.key(i), keys()[i].public_key()));
    OwnerSet one;
    REQUIRE(one.read(keys()[0].public_key()));
    CHECK(one.is_one());
    CHECK(one.threshold() == 1);
    CHECK(one.count() == 1);
    CHECK(equal(one.key(0), keys()[0].public_key()));
    CHECK(equal(one.approval_key(), keys()[0].public_key()));
}

TEST_CASE("a set has one encoding", "[owners]") {
    const auto reads = [](const Bytes& bytes) {
        OwnerSet set;
        return set.read(bytes);
    };
    const auto five = owner_keys(5);
    CHECK(reads(owner_set(1, approval().public_key(), five)));
    CHECK(reads(owner_set(5, approval().public_key(), five)));
    CHECK_FALSE(reads(owner_set(0, approval().public_key(), keys())));
    CHECK_FALSE(reads(owner_set(4, approval().public_key(), keys())));
    CHECK_FALSE(reads(owner_set(255, approval().public_key(), keys())));
    CHECK_FALSE(reads(owner_set(1, approval().public_key(), {keys()[0]}))); // one owner has his own form
    CHECK_FALSE(reads(owner_set(2, approval().public_key(), {keys()[1], keys()[0], keys()[2]})));
    CHECK_FALSE(reads(owner_set(2, approval().public_key(), {keys()[0], keys()[0], keys()[1]})));
    CHECK_FALSE(reads(owner_set(2, approval().public_key(), owner_keys(6))));
    for (const std::size_t at : {std::size_t{1}, 1 + public_key_size, 1 + 3 * public_key_size}) { // of each key the form
        Bytes bytes = two_of_three();
        bytes[at] = 2;
        CHECK_FALSE(reads(bytes));
    }
    for (std::size_t size = 0; size < two_of_three().size(); ++size) {
        Bytes bytes = two_of_three();
        bytes.resize(size);
        const bool shorter_set = size == 1 + 3 * public_key_size; // 2 of 2 is a set by itself: that is why it is measured whole
        CHECK(reads(bytes) == shorter_set);
    }
}

TEST_CASE("m-1 signatures do not make a bundle", "[owners]") {
    CHECK(error_of(draft()) == BundleError::threshold);
    CHECK(error_of(signed_by({1})) == BundleError::threshold);
    CHECK(Forged{}.sign(1).sign(1).error() == BundleError::signer); // one thief twice
    CHECK(Forged{}.sign(keys()[1], Forged::place(0)).sign(1).error() == BundleError::signature); // in another owner's name
}

TEST_CASE("a signature by an unknown key, or for another set, does not count", "[owners]") {
    const auto stranger = cose::Signer::generate().value();
    CHECK(Forged{}.sign(0).sign(stranger, Forged::place(1)).error() == BundleError::signature);
    CHECK(Forged{}.sign(0).sign(stranger, Forged::place(3)).error() == BundleError::signer);
    CHECK(Forged{}.sign(0).sign(approval(), Forged::place(1)).error() == BundleError::signature);
    // An owner's good signature is moved under a threshold of one, and under a set of the thief's.
    Forged weaker{.header = Forged::header_of(owner_set(1, approval().public_key(), keys())), .signatures = Forged{}.sign(0).signatures};
    CHECK(weaker.error() == BundleError::signature);
    // What an owner signs by himself is no signature of a set, and the other way round.
    const auto alone = keys()[0].sign(cose::SignedBytes{Forged{}.header, Forged{}.payload}).value();
    Forged mixed;
    mixed.signatures.emplace_back(Forged::place(0), Bytes{alone.begin(), alone.end()});
    CHECK(mixed.sign(1).error() == BundleError::signature);
}

TEST_CASE("one form for each bundle", "[owners]") {
    CHECK(Forged{}.sign(1).sign(0).error() == BundleError::signer);         // out of order
    CHECK(Forged{}.sign(0).sign(1).sign(2).error() == BundleError::signer); // more than the set demands
    CHECK(Forged{}.sign(0).sign(keys()[1], test::from_hex("a10126")).error() == BundleError::signer);
    CHECK(Forged{}.sign(0).sign(keys()[1], test::from_hex("a201270441" "01")).error() == BundleError::signer); // EdDSA
    CHECK(Forged{.header = Forged::header_of(Bytes(keys()[0].public_key().begin(), keys()[0].public_key().end()))}.sign(0).error() ==
          BundleError::header); // one owner in the form of several
    Bytes as_one(4096); // several in the form of one
    CborWriter out{as_one};
    const auto alone = keys()[0].sign(cose::SignedBytes{Forged{}.header, Forged{}.payload}).value();
    cose::write_sign1(out, {Forged{}.header, Forged{}.payload, alone});
    as_one.resize(out.size());
    CHECK(error_of(as_one) == BundleError::header);
    Bytes appended = signed_by({0, 1});
    appended.push_back(0);
    CHECK(error_of(appended) == BundleError::shape);
    CHECK(error_of(Bytes(max_bundle + 1)) == BundleError::too_large);
}

TEST_CASE("every truncation and every flipped bit of a bundle of several owners is refused", "[owners]") {
    Bytes bytes = signed_by({0, 2});
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK(error_of(ByteView{bytes}.first(size)) != BundleError::none);
    for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 3) {
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        if (error_of(bytes) == BundleError::none) FAIL("accepted with bit " << bit << " flipped");
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
}

TEST_CASE("a draft takes each owner's signature once, until it is complete", "[owners]") {
    const auto refusal = [](const Bytes& from, const Bytes& owners, const cose::Signer& key) {
        const auto outcome = add_signature(from, owners, key);
        return outcome.ok() ? std::string{} : outcome.error();
    };
    CHECK(refusal(signed_by({1}), two_of_three(), keys()[1]) == "this owner has signed it already");
    CHECK(refusal(signed_by({1}), two_of_three(), approval()) == "this key is none of its owners'");
    CHECK(refusal(signed_by({1, 2}), two_of_three(), keys()[0]).find("complete") != std::string::npos);
    CHECK(refusal(draft(), owner_set(1, approval().public_key(), keys()), keys()[0]).find("other owners") != std::string::npos);
    CHECK(refusal(draft(), owner_set(2, keys()[0].public_key(), keys()), keys()[0]).find("other owners") != std::string::npos);
    CHECK(refusal(Forged{}.sign(keys()[0], Forged::place(1)).bytes(), two_of_three(), keys()[2]) == describe(BundleError::signature));
    CHECK(refusal({1, 2, 3}, two_of_three(), keys()[0]) == describe(BundleError::shape));
    CHECK_FALSE(make_draft(encoded(sample_policy()), Bytes(keys()[0].public_key().begin(), keys()[0].public_key().end())).ok());
}
