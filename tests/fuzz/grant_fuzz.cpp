// SPDX-License-Identifier: Apache-2.0
// A grant message as the hypervisor takes it. The strict reader and the canonical check must agree.
#include "attest/grant/grant.hpp"
#include "tests/unit/hex.hpp"

#include <cstdlib>

using namespace casemate;

namespace {
const measure::P256PublicKey key = // the generator of P-256 [SEC2 2.4.2]
    measure::P256PublicKey::create(
        test::from_hex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                       "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")).value();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto verified = grant::verify({data, size}, key);
    if (!verified.ok() && verified.error() == grant::GrantError::not_canonical) std::abort();
    return 0;
}
