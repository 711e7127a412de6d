// SPDX-License-Identifier: Apache-2.0
// How unique_ptr gives an OpenSSL object back: std::unique_ptr<BIGNUM, Releaser<BN_free>>. Host only.
#pragma once

#include <memory>

namespace casemate {

template <auto release>
struct Releaser {
    template <typename T>
    void operator()(T* object) const { release(object); }
};

} // namespace casemate
