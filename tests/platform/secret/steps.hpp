// SPDX-License-Identifier: Apache-2.0
// The steps of provisioning as `casemate provision` goes through them, to the end or to the first that is refused.
#pragma once

#include "attest/owner/provisioning.hpp"

#include <catch2/catch.hpp>

namespace casemate::secret_test {

template <typename T>
T take(owner::Outcome<T> outcome) {
    if (!outcome.ok()) FAIL(outcome.error().text);
    return std::move(outcome).value();
}

inline Status<owner::Error> forward(const std::vector<owner::Step>& steps) {
    for (const owner::Step& step : steps) (void)TRY(owner::complete(step));
    return Done{};
}

inline Status<owner::Error> backward(const std::vector<owner::Step>& steps) {
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) (void)TRY(owner::take_back(*step));
    return Done{};
}

} // namespace casemate::secret_test
