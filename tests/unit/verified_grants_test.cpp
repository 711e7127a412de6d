// SPDX-License-Identifier: Apache-2.0
// A grant is remembered by all of its bytes, and no more of them than fit.
#include <catch2/catch.hpp>

#include "attest/grant/grant_sign.hpp"
#include "attest/verifier/verified_grants.hpp"

using namespace casemate;
using verifier::VerifiedGrants;

namespace {

struct Keys {
    cose::Signer signer = cose::Signer::generate().value();
    measure::P256PublicKey key = measure::P256PublicKey::create(signer.public_key()).value();
    [[nodiscard]] std::vector<std::uint8_t> grant(std::uint8_t number) const {
        grant::Claims claims;
        claims.id[0] = number;
        claims.lease = 60;
        return grant::sign(claims, signer).value();
    }
};

} // namespace

TEST_CASE("a grant is verified once, and one byte more or other is another grant", "[verifier]") {
    const Keys keys;
    VerifiedGrants known{keys.key};
    const auto good = keys.grant(7);
    for (int i = 0; i < 2; ++i) CHECK(known.claims(good)->id[0] == 7);
    CHECK(known.size() == 1);
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bent = good;
        bent[i] ^= 1;
        CHECK_FALSE(known.claims(bent));
    }
    auto longer = good;
    longer.push_back(0);
    CHECK_FALSE(known.claims(longer));
    CHECK_FALSE(known.claims({}));
    CHECK_FALSE(VerifiedGrants{Keys{}.key}.claims(good));
    CHECK(known.size() == 1);
}

TEST_CASE("of many grants the ones that are asked for stay known, and the memory is bounded", "[verifier]") {
    const Keys keys;
    VerifiedGrants known{keys.key, 4};
    const auto often = keys.grant(255);
    for (std::uint8_t i = 0; i < 40; ++i) {
        CHECK(known.claims(keys.grant(i))->id[0] == i);
        CHECK(known.claims(often)->id[0] == 255);
        CHECK(known.size() <= 8);
    }
}
