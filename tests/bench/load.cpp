// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load.hpp"

namespace casemate::bench {

std::optional<double> load_during(const std::vector<LoadSample>& samples, const Timed& measurement) {
    const LoadSample* first = nullptr;
    const LoadSample* last = nullptr;
    for (const LoadSample& sample : samples) {
        if (sample.seen < measurement.begun || sample.seen > measurement.ended) continue;
        if (first == nullptr) first = &sample;
        last = &sample;
    }
    if (first == last) return std::nullopt;
    return 100 * (last->seconds - first->seconds) / std::chrono::duration<double>(last->seen - first->seen).count();
}

} // namespace casemate::bench
