// SPDX-License-Identifier: Apache-2.0
// A copy of a VM's RAM, made and put back page by page. Pages of zeros are remembered, not copied.
// Invariant: only save() changes it; restore() writes nothing that is not wrong, so what the processor has cached of a page stays good.
// Both spans live as long as this; `ram` is as large as `store`, in whole pages.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/bytes.hpp"

#include <cstdint>
#include <cstring>
#include <span>

namespace casemate::mm {

class RamCopy {
public:
    static constexpr std::size_t pages_a_word = 64;
    [[nodiscard]] static constexpr std::size_t words_for(std::uint64_t bytes) {
        return (bytes / page_size + pages_a_word - 1) / pages_a_word;
    }

    RamCopy() = default;
    /// `kept`: words_for(store.size()) words.
    RamCopy(ByteSpan store, std::span<std::uint64_t> kept) : store_{store}, kept_{kept} {}

    [[nodiscard]] std::uint64_t page_count() const { return store_.size() / page_size; }

    void save(std::uint64_t page, ByteView ram) {
        const ByteView from = page_of(ram, page);
        const std::uint64_t bit = 1ull << page % pages_a_word;
        kept_[page / pages_a_word] &= ~bit;
        if (is_zero(from)) return;
        kept_[page / pages_a_word] |= bit;
        std::memcpy(page_of(store_, page).data(), from.data(), page_size);
    }
    void restore(std::uint64_t page, ByteSpan ram) const {
        const ByteSpan to = page_of(ram, page);
        const ByteView from = kept(page);
        if (from.empty()) {
            if (!is_zero(to)) std::memset(to.data(), 0, page_size);
        } else if (differ(to, [from](std::size_t at) { return word_at(from, at); })) {
            std::memcpy(to.data(), from.data(), page_size);
        }
    }
    /// The page as it was; empty for one of zeros.
    [[nodiscard]] ByteView kept(std::uint64_t page) const {
        const bool has = (kept_[page / pages_a_word] >> page % pages_a_word & 1) != 0;
        return has ? ByteView{page_of(store_, page)} : ByteView{};
    }

private:
    template <typename Span>
    static Span page_of(Span memory, std::uint64_t page) {
        return memory.subspan(page * page_size, page_size);
    }
    static std::uint64_t word_at(ByteView page, std::size_t at) {
        std::uint64_t word;
        __builtin_memcpy(&word, page.data() + at, sizeof word);
        return word;
    }
    static bool is_zero(ByteView page) {
        return !differ(page, [](std::size_t) { return std::uint64_t{0}; });
    }
    /// Eight words a turn of the loop: a VM that ended waits for all its pages to be looked at.
    template <typename Expected>
    static bool differ(ByteView page, Expected expected) {
        for (std::size_t line = 0; line < page_size; line += 64) {
            std::uint64_t wrong = 0;
#pragma GCC unroll 8
            for (std::size_t at = line; at < line + 64; at += 8) wrong |= word_at(page, at) ^ expected(at);
            if (wrong != 0) return true;
        }
        return false;
    }

    ByteSpan store_;
    std::span<std::uint64_t> kept_;
};

} // namespace casemate::mm
