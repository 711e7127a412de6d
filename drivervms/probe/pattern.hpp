// SPDX-License-Identifier: Apache-2.0
// The traffic of the proofs: an endless deterministic stream of pseudo-random bytes, the same at both ends.
// SplitMix64 [Steele, Lea, Flood, OOPSLA 2014], each word little-endian: cheap enough not to hide the driver's
// own speed. Not for secrets. Who calls it: cm-probe in a driver VM, casemate-peer on the host, tests.
#pragma once

#include "hypervisor/base/bytes.hpp"

namespace casemate::probe {

class Pattern {
public:
    explicit Pattern(std::uint64_t seed) : state_{seed} {}

    /// The next bytes of the stream. A size that is no multiple of 8 drops the rest of the last word.
    void fill(ByteSpan out) {
        while (!out.empty()) {
            const std::uint64_t word = next();
            const std::size_t count = out.size() < sizeof word ? out.size() : sizeof word;
            std::memcpy(out.data(), &word, count); // x86-64: little-endian
            out = out.subspan(count);
        }
    }

private:
    std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
    std::uint64_t state_;
};

} // namespace casemate::probe
