// SPDX-License-Identifier: Apache-2.0
// How many ECDSA P-256 signatures one thread verifies a second, as `openssl speed ecdsap256` does it: one prepared context, one
// signature. What a processor can do just now, to hold other numbers against.
#pragma once

#include <chrono>

#include "attest/verifier/crypto.hpp"

namespace casemate::bench::attest {

/// Work and the time that it took.
struct Account {
    static constexpr std::chrono::milliseconds slice{250};
    static constexpr int at_once = 64; // between two looks at the clock

    double count = 0;
    double seconds = 0;
    template <typename Work>
    void spend_slice(const Work& work) {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point start = Clock::now();
        Clock::time_point now = start;
        for (; now < start + slice; now = Clock::now(), count += at_once)
            for (int i = 0; i < at_once; ++i) work();
        seconds += std::chrono::duration<double>(now - start).count();
    }
    [[nodiscard]] double rate() const { return count / seconds; }
};

class Verification {
public:
    Verification();
    void operator()() const;

private:
    const verifier::PublicKey key_{EVP_EC_gen("P-256")};
    const verifier::KeyContext context_;
    const verifier::Bytes digest_ = verifier::Bytes(32, 0x5a);
    verifier::Bytes signature_ = verifier::Bytes(80);
    std::size_t size_ = 80;
};

/// Of half a second.
[[nodiscard]] double verifications_a_second();

} // namespace casemate::bench::attest
