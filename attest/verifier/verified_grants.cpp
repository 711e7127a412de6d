// SPDX-License-Identifier: Apache-2.0
// See verified_grants.hpp.
#include "attest/verifier/verified_grants.hpp"

#include <utility>

namespace casemate::verifier {

std::optional<grant::Claims> VerifiedGrants::claims(ByteView message) {
    std::string bytes(message.begin(), message.end());
    {
        const std::lock_guard guard{lock_};
        if (const auto found = young_.find(bytes); found != young_.end()) return found->second;
        if (const auto found = old_.find(bytes); found != old_.end()) {
            const grant::Claims claims = found->second;
            remember(std::move(bytes), claims);
            return claims;
        }
    }
    const auto verified = grant::verify(message, keys_); // outside the lock: it takes its time
    if (!verified) return std::nullopt;
    const std::lock_guard guard{lock_};
    remember(std::move(bytes), verified.value().claims());
    return verified.value().claims();
}

void VerifiedGrants::remember(std::string message, const grant::Claims& claims) {
    if (young_.size() >= generation_) old_ = std::exchange(young_, {});
    young_.emplace(std::move(message), claims);
}

std::size_t VerifiedGrants::size() const {
    const std::lock_guard guard{lock_};
    return young_.size() + old_.size();
}

} // namespace casemate::verifier
