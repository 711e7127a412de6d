// SPDX-License-Identifier: Apache-2.0
// Requests a second for each of many callers: a token bucket a key. Bounded memory: buckets that are full again are
// forgotten, and beyond the limit of keys the rest share one bucket. Safe from several threads. Called by the router.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace casemate::verifier {

class RateLimit {
public:
    /// `per_second` 0 = no limit. A caller that was silent may send twice as many at once.
    explicit RateLimit(std::int64_t per_second) : per_second_{per_second}, burst_{2 * per_second * scale} {}

    /// Takes one request of `key` at `now` (milliseconds); false when it has none left.
    [[nodiscard]] bool take(std::string_view key, std::int64_t now);

    static constexpr std::size_t max_keys = 16'384;

private:
    static constexpr std::int64_t scale = 1000; // a request, so that a millisecond earns a whole number
    struct Bucket {
        std::int64_t level = 0;
        std::int64_t at = 0;
    };
    void refill(Bucket& bucket, std::int64_t now) const;
    void forget_full(std::int64_t now);

    std::int64_t per_second_;
    std::int64_t burst_;
    std::mutex lock_;
    std::unordered_map<std::string, Bucket> buckets_;
};

} // namespace casemate::verifier
