// SPDX-License-Identifier: Apache-2.0
// See verification_rate.hpp.
#include "tests/bench/attest/verification_rate.hpp"

namespace casemate::bench::attest {

Verification::Verification() : context_{EVP_PKEY_CTX_new(key_.get(), nullptr)} {
    const verifier::KeyContext signer{EVP_PKEY_CTX_new(key_.get(), nullptr)};
    verifier::require(EVP_PKEY_sign_init(signer.get()) == 1 &&
                          EVP_PKEY_sign(signer.get(), signature_.data(), &size_, digest_.data(), digest_.size()) == 1 &&
                          EVP_PKEY_verify_init(context_.get()) == 1, "a signature to verify");
}

void Verification::operator()() const {
    verifier::require(EVP_PKEY_verify(context_.get(), signature_.data(), size_, digest_.data(), digest_.size()) == 1, "verify");
}

double verifications_a_second() {
    const Verification verify;
    Account account;
    for (int i = 0; i < 2; ++i) account.spend_slice(verify);
    return account.rate();
}

} // namespace casemate::bench::attest
