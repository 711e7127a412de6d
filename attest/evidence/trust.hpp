// SPDX-License-Identifier: Apache-2.0
// Trust in the type: what arrived is Unverified<T>, what a check has proved is Verified<T>. They do not convert; the
// only way from one to the other is attest/appraise/verify.hpp, in this order: signature, nonce, PCR selection, replay.
#pragma once

#include <utility>

namespace casemate::attest {

class Verifier; // attest/appraise/verify.hpp

/// UNTRUSTED: parsed, well-formed, possibly a lie.
template <typename T>
class Unverified {
public:
    explicit Unverified(T value) : value_{std::move(value)} {}
    /// For checks and for messages about what was claimed; never for a decision.
    [[nodiscard]] const T& claimed() const { return value_; }

private:
    T value_;
};

template <typename T>
class Verified {
public:
    [[nodiscard]] const T& get() const { return value_; }
    [[nodiscard]] const T* operator->() const { return &value_; }

private:
    friend class Verifier;
    explicit Verified(T value) : value_{std::move(value)} {}
    T value_;
};

} // namespace casemate::attest
