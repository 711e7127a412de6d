// SPDX-License-Identifier: Apache-2.0
// The loops behind memcpy and its kin: eight bytes at a time, forwards or backwards, unaligned.
// No `rep movsb`: it costs 30 times as much under emulation, and the compiler's own expansions suffice elsewhere.
// A header so that the host tests them under other names. Used by rt/memory.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace casemate::rt {

struct Word {
    // SAFETY: `may_alias` and `packed`: any object, any alignment.
    std::uint64_t value;
} __attribute__((packed, may_alias));

inline void copy_forward(std::uint8_t* to, const std::uint8_t* from, std::size_t count) {
    for (; count >= sizeof(Word); count -= sizeof(Word), to += sizeof(Word), from += sizeof(Word)) {
        reinterpret_cast<Word*>(to)->value = reinterpret_cast<const Word*>(from)->value;
    }
    for (; count > 0; --count) *to++ = *from++;
}

inline void copy_backward(std::uint8_t* to, const std::uint8_t* from, std::size_t count) {
    for (; count >= sizeof(Word); count -= sizeof(Word)) {
        reinterpret_cast<Word*>(to + count - sizeof(Word))->value =
            reinterpret_cast<const Word*>(from + count - sizeof(Word))->value;
    }
    for (; count > 0; --count) to[count - 1] = from[count - 1];
}

inline void fill(std::uint8_t* to, std::uint8_t byte, std::size_t count) {
    const std::uint64_t word = 0x0101010101010101 * byte;
    for (; count >= sizeof(Word); count -= sizeof(Word), to += sizeof(Word)) {
        reinterpret_cast<Word*>(to)->value = word;
    }
    for (; count > 0; --count) *to++ = byte;
}

inline int compare(const std::uint8_t* a, const std::uint8_t* b, std::size_t count) {
    for (; count >= sizeof(Word); count -= sizeof(Word), a += sizeof(Word), b += sizeof(Word)) {
        if (reinterpret_cast<const Word*>(a)->value != reinterpret_cast<const Word*>(b)->value) break;
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

} // namespace casemate::rt
