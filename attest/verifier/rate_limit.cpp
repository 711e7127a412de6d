// SPDX-License-Identifier: Apache-2.0
// See rate_limit.hpp.
#include "attest/verifier/rate_limit.hpp"

#include <algorithm>

namespace casemate::verifier {

bool RateLimit::take(std::string_view key, std::int64_t now) {
    if (per_second_ == 0) return true;
    const std::lock_guard guard{lock_};
    auto found = buckets_.find(std::string{key});
    if (found == buckets_.end()) {
        if (buckets_.size() >= max_keys) forget_full(now);
        const bool room = buckets_.size() < max_keys;
        found = buckets_.try_emplace(room ? std::string{key} : std::string{}, Bucket{burst_, now}).first;
    }
    Bucket& bucket = found->second;
    refill(bucket, now);
    if (bucket.level < scale) return false;
    bucket.level -= scale;
    return true;
}

/// A clock that goes back earns nothing and costs nothing.
void RateLimit::refill(Bucket& bucket, std::int64_t now) const {
    const std::int64_t passed = std::clamp<std::int64_t>(now - bucket.at, 0, 10'000);
    bucket.level = std::min(burst_, bucket.level + passed * per_second_);
    bucket.at = now;
}

void RateLimit::forget_full(std::int64_t now) {
    std::erase_if(buckets_, [&](const auto& entry) {
        Bucket bucket = entry.second;
        refill(bucket, now);
        return bucket.level == burst_;
    });
}

} // namespace casemate::verifier
