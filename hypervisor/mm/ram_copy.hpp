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
        } else if (std::memcmp(to.data(), from.data(), page_size) != 0) {
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
    static bool is_zero(ByteView page) {
        return page[0] == 0 && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
    }

    ByteSpan store_;
    std::span<std::uint64_t> kept_;
};

} // namespace casemate::mm
