// SPDX-License-Identifier: Apache-2.0
// A signing device of a test, with a real key and every way to fail.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include <openssl/bn.h>

#include "attest/cose/signer.hpp"
#include "attest/verifier/bytes.hpp"
#include "attest/verifier/crypto.hpp"

namespace casemate::test {

class DeviceStub final : public cose::SigningKey {
public:
    [[nodiscard]] const cose::PublicPoint& public_key() const override { return point; }
    [[nodiscard]] bool is_device() const override { return true; }
    [[nodiscard]] Result<cose::RawSignature, cose::SignError> sign_digest(ByteView digest) const override {
        ++asked;
        if (const cose::SignError why = failure; why != cose::SignError::none) return Failure{why};
        cose::RawSignature signature = signed_by_key(digest);
        if (measure::signature_is_low_s(signature) == high_s) mirror(signature);
        if (bend) bend(signature);
        return signature;
    }

    std::atomic<cose::SignError> failure{cose::SignError::none};
    bool high_s = false;
    std::function<void(cose::RawSignature&)> bend;
    mutable std::atomic<int> asked{0};

private:
    [[nodiscard]] cose::RawSignature signed_by_key(ByteView digest) const {
        const verifier::KeyContext context{EVP_PKEY_CTX_new(key_.get(), nullptr)};
        std::array<std::uint8_t, 80> der{};
        std::size_t size = der.size();
        verifier::require(EVP_PKEY_sign_init(context.get()) == 1 &&
                              EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size()) == 1, "sign");
        const unsigned char* cursor = der.data();
        ECDSA_SIG* parsed = d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size));
        cose::RawSignature raw{};
        BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw.data(), 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw.data() + 32, 32);
        ECDSA_SIG_free(parsed);
        return raw;
    }
    /// s := order - s
    static void mirror(cose::RawSignature& signature) {
        BIGNUM* order = nullptr;
        BN_hex2bn(&order, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        BIGNUM* s = BN_bin2bn(signature.data() + 32, 32, nullptr);
        BN_sub(s, order, s);
        BN_bn2binpad(s, signature.data() + 32, 32);
        BN_free(order);
        BN_free(s);
    }
    static verifier::PublicKey made() { return verifier::PublicKey{EVP_EC_gen("P-256")}; }
    static cose::PublicPoint point_of(EVP_PKEY& key) {
        cose::PublicPoint result{};
        std::size_t size = 0;
        verifier::require(EVP_PKEY_get_octet_string_param(&key, "pub", result.data(), result.size(), &size) == 1, "public key");
        return result;
    }

    const verifier::PublicKey key_ = made();

public:
    cose::PublicPoint point = point_of(*key_);
};

} // namespace casemate::test
