// SPDX-License-Identifier: Apache-2.0
// A list in place, of at most `capacity` elements; what does not fit is refused, visibly.
#pragma once

#include <array>
#include <cstddef>

namespace casemate::measure {

template <typename T, std::size_t capacity>
class FixedList {
public:
    /// False when full.
    constexpr bool add(const T& value) {
        if (size_ == capacity) return false;
        items_[size_++] = value;
        return true;
    }
    /// What was in it stays where it was and is no longer part of it.
    constexpr void clear() { size_ = 0; }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr const T& operator[](std::size_t index) const { return items_[index]; }
    [[nodiscard]] constexpr T& operator[](std::size_t index) { return items_[index]; }
    [[nodiscard]] constexpr const T* begin() const { return items_.data(); }
    [[nodiscard]] constexpr const T* end() const { return items_.data() + size_; }
    [[nodiscard]] constexpr T* begin() { return items_.data(); }
    [[nodiscard]] constexpr T* end() { return items_.data() + size_; }

private:
    std::array<T, capacity> items_{};
    std::size_t size_ = 0;
};

} // namespace casemate::measure
