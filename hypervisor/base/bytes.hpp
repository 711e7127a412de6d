// SPDX-License-Identifier: Apache-2.0
// Views of bytes and bounded readers and writers with an explicit byte order.
// Invariant: no read or write outside the view, ever; the first one that would is refused and every later
// one too (sticky failure), so a parser may read a whole record and check ok() once before it uses any field.
// Used by every parser of untrusted bytes. Not for memory-mapped registers: see hypervisor/hw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace casemate {

using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

enum class ByteOrder { little, big };

/// Same length and same bytes; the time does not depend on where they differ.
[[nodiscard]] constexpr bool equal(ByteView a, ByteView b) {
    if (a.size() != b.size()) return false;
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<std::uint8_t>(a[i] ^ b[i]);
    return difference == 0;
}

/// Reads integers and runs of bytes from the front of a view.
template <ByteOrder order>
class ByteReader {
public:
    constexpr explicit ByteReader(ByteView bytes) : rest_{bytes} {}

    [[nodiscard]] constexpr bool ok() const { return ok_; }
    [[nodiscard]] constexpr std::size_t remaining() const { return rest_.size(); }
    /// True when everything was read and nothing failed: the test for exact length.
    [[nodiscard]] constexpr bool finished() const { return ok_ && rest_.empty(); }

    constexpr std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
    constexpr std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
    constexpr std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
    constexpr std::uint64_t u64() { return integer(8); }

    /// The next `count` bytes, or an empty view (and failure) when there are fewer.
    constexpr ByteView bytes(std::size_t count) {
        if (!ok_ || count > rest_.size()) {
            ok_ = false;
            return {};
        }
        const ByteView taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

private:
    constexpr std::uint64_t integer(std::size_t width) {
        std::uint64_t value = 0;
        const ByteView raw = bytes(width);
        for (std::size_t i = 0; i < raw.size(); ++i) {
            const std::size_t shift = 8 * (order == ByteOrder::big ? raw.size() - 1 - i : i);
            value |= std::uint64_t{raw[i]} << shift;
        }
        return value;
    }

    ByteView rest_;
    bool ok_ = true;
};

/// Appends integers and runs of bytes to a fixed buffer.
template <ByteOrder order>
class ByteWriter {
public:
    constexpr explicit ByteWriter(ByteSpan buffer) : buffer_{buffer} {}

    [[nodiscard]] constexpr bool ok() const { return ok_; }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    /// What has been written so far.
    [[nodiscard]] constexpr ByteView written() const { return buffer_.first(size_); }

    constexpr void u8(std::uint8_t value) { integer(value, 1); }
    constexpr void u16(std::uint16_t value) { integer(value, 2); }
    constexpr void u32(std::uint32_t value) { integer(value, 4); }
    constexpr void u64(std::uint64_t value) { integer(value, 8); }

    constexpr void bytes(ByteView source) {
        if (!reserve(source.size())) return;
        for (std::size_t i = 0; i < source.size(); ++i) buffer_[size_ + i] = source[i];
        size_ += source.size();
    }

private:
    constexpr bool reserve(std::size_t count) {
        ok_ = ok_ && count <= buffer_.size() - size_;
        return ok_;
    }

    constexpr void integer(std::uint64_t value, std::size_t width) {
        if (!reserve(width)) return;
        for (std::size_t i = 0; i < width; ++i) {
            const std::size_t shift = 8 * (order == ByteOrder::big ? width - 1 - i : i);
            buffer_[size_ + i] = static_cast<std::uint8_t>(value >> shift);
        }
        size_ += width;
    }

    ByteSpan buffer_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

using LittleEndianReader = ByteReader<ByteOrder::little>;
using LittleEndianWriter = ByteWriter<ByteOrder::little>;
using BigEndianReader = ByteReader<ByteOrder::big>;   // TPM wire order [TPM2-P1 4.2]
using BigEndianWriter = ByteWriter<ByteOrder::big>;

} // namespace casemate
