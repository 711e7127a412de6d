// SPDX-License-Identifier: Apache-2.0
// A freestanding program that uses the whole cryptographic façade, as the SLB and the hypervisor do. It is linked and
// looked at (no_sse.sh), never run.
#include "dlaunch/measure/keyed_crypto.hpp"
#include "hypervisor/base/check.hpp"

void casemate::contract_violated(const char*, const char*, int) {
    for (;;) {}
}

extern "C" int _start(const std::uint8_t* bytes, std::size_t size, std::uint16_t algorithm) {
    using namespace casemate;
    const auto digest = measure::hash(static_cast<measure::TPM_ALG_ID>(algorithm), {bytes, size});
    const auto key = measure::P256PublicKey::create({bytes, size});
    const auto code = measure::hmac_sha256({bytes, size}, digest.view());
    measure::Rsa2048Block block;
    measure::wipe(block);
    if (!measure::rsa_oaep_encrypt({bytes, size}, code, digest.view(), code, block)) return block[0];
    return key.ok() && key.value().verify(digest.view(), {bytes, size});
}
