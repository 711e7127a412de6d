// SPDX-License-Identifier: Apache-2.0
// A certificate of a signing key as an owner imports it into the verifier: any bytes, never a crash; what is accepted has a point, a name
// and a beginning before its end.
#include "attest/cose/key_certificate.hpp"
#include "tests/unit/owner_sample.hpp"

#include <cstdlib>

using namespace casemate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<std::uint8_t> good = test::CertifiedKey{}.certificate(1'800'000'000, 1'900'000'000);
    std::vector<std::uint8_t> bent(data, data + size);
    if (size >= 2 && data[0] % 2 == 0) { // a good one with some bytes exchanged
        bent = good;
        const std::size_t at = std::size_t{data[1]} * good.size() / 256;
        for (std::size_t i = 2; i < size && at + i - 2 < bent.size(); ++i) bent[at + i - 2] = data[i];
    }
    const auto parsed = cose::parse_key_certificate(bent);
    if (parsed.ok() && (parsed.value().key[0] != 4 || parsed.value().name.empty() || parsed.value().not_after <= parsed.value().not_before)) std::abort();
    return 0;
}
