// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/model/pcr.hpp"

#include <openssl/evp.h>

namespace casemate::model::test {
namespace {

Digest hash(const Bank& bank, const Digest& data) {
    Digest digest(bank.digest_size);
    unsigned size = 0;
    ::EVP_Digest(data.data(), data.size(), digest.data(), &size, ::EVP_get_digestbyname(bank.name), nullptr);
    return digest;
}

} // namespace

Digest read_pcr(Platform& platform, const Bank& bank, unsigned index) {
    std::uint8_t bytes[20];
    BigEndianWriter command{bytes};
    command.u16(0x8001);     // TPM_ST_NO_SESSIONS
    command.u32(sizeof bytes);
    command.u32(0x0000017E); // TPM_CC_PCR_Read
    command.u32(1);
    command.u16(bank.algorithm);
    command.u8(3);
    for (unsigned i = 0; i < 3; ++i) command.u8(index / 8 == i ? static_cast<std::uint8_t>(1u << index % 8) : 0);
    const auto response = platform.tpm_command(bytes);
    if (!response) return {};
    BigEndianReader reader{response.value()};
    reader.bytes(10 + 4 + 4 + 2 + 1 + 3); // header, update counter, one selection
    const auto digests = reader.u32();
    const auto digest = reader.bytes(digests == 1 ? reader.u16() : 0);
    return {digest.begin(), digest.end()};
}

Digest predict_pcr17(const Bank& bank, ByteView loader) {
    Digest extended(bank.digest_size, 0);
    const Digest measured = hash(bank, {loader.begin(), loader.end()});
    extended.insert(extended.end(), measured.begin(), measured.end());
    return hash(bank, extended);
}

} // namespace casemate::model::test
