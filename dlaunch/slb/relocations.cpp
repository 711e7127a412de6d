// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/slb/relocations.hpp"

#include "hypervisor/base/check.hpp"

namespace casemate::slb {

namespace {

void subtract(ByteSpan image, std::uint64_t offset, std::uint64_t base) {
    CHECK(offset <= image.size() && image.size() - offset >= sizeof base);
    std::uint64_t word;
    std::memcpy(&word, image.data() + offset, sizeof word);
    word -= base;
    std::memcpy(image.data() + offset, &word, sizeof word);
}

} // namespace

void take_back_relocations(ByteSpan image, std::span<const std::uint64_t> relocations, std::uint64_t base) {
    std::uint64_t next = 0; // the word after the last one that an even entry named
    for (const std::uint64_t entry : relocations) {
        if (entry % 2 == 0) {
            subtract(image, entry, base);
            next = entry + sizeof entry;
            continue;
        }
        for (unsigned bit = 1; bit < 64; ++bit)
            if (entry >> bit & 1) subtract(image, next + (bit - 1) * sizeof entry, base);
        next += 63 * sizeof entry;
    }
}

} // namespace casemate::slb
