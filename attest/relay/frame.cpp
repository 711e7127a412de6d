// SPDX-License-Identifier: Apache-2.0
// Implements frame.hpp. COBS as in Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1997: each block is a
// code byte n (1..255) and n - 1 non-zero bytes; every block but one of code 255, and but the last, stands for a
// zero after it.
#include "attest/relay/frame.hpp"

#include <array>

namespace casemate::relay {
namespace {

constexpr std::uint8_t full_block = 0xFF;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
        table[i] = value;
    }
    return table;
}
constexpr auto crc_table = make_crc_table();

/// Appends COBS blocks to a buffer that the caller found large enough.
class BlockWriter {
public:
    explicit BlockWriter(ByteSpan frame) : frame_{frame} {}

    void put(std::uint8_t byte) {
        if (byte != 0) frame_[next_++] = byte;
        if (byte == 0 || next_ - code_at_ == full_block) close_block();
    }
    std::size_t finish() {
        frame_[code_at_] = static_cast<std::uint8_t>(next_ - code_at_);
        frame_[next_] = 0;
        return next_ + 1;
    }

private:
    void close_block() {
        frame_[code_at_] = static_cast<std::uint8_t>(next_ - code_at_);
        code_at_ = next_++;
    }
    ByteSpan frame_;
    std::size_t code_at_ = 0;
    std::size_t next_ = 1;
};

/// In place: the output never overtakes the input. The value is the number of bytes that were stuffed.
Result<std::size_t, FrameError> unstuff(ByteSpan frame) {
    std::size_t in = 0;
    std::size_t out = 0;
    while (in < frame.size()) {
        const std::size_t code = frame[in++];
        if (code == 0 || code - 1 > frame.size() - in) return Failure{FrameError::malformed};
        for (std::size_t i = 1; i < code; ++i) {
            if (frame[in] == 0) return Failure{FrameError::malformed};
            frame[out++] = frame[in++];
        }
        if (code != full_block && in < frame.size()) frame[out++] = 0;
    }
    return out;
}

} // namespace

std::uint32_t crc32(ByteView bytes) {
    std::uint32_t value = 0xFFFFFFFF;
    for (const std::uint8_t byte : bytes) value = (value >> 8) ^ crc_table[(value ^ byte) & 0xFF];
    return ~value;
}

Result<std::size_t, FrameError> encode_frame(ByteView payload, ByteSpan frame) {
    if (payload.size() > max_payload || frame.size() < max_frame_size(payload.size()))
        return Failure{FrameError::too_long};
    BlockWriter writer{frame};
    for (const std::uint8_t byte : payload) writer.put(byte);
    const std::uint32_t crc = crc32(payload);
    for (unsigned shift = 0; shift < 32; shift += 8) writer.put(static_cast<std::uint8_t>(crc >> shift));
    return writer.finish();
}

Result<ByteView, FrameError> decode_frame(ByteSpan frame) {
    const std::size_t size = TRY(unstuff(frame));
    if (size < crc_size) return Failure{FrameError::too_short};
    if (size - crc_size > max_payload) return Failure{FrameError::too_long};
    const ByteView payload = frame.first(size - crc_size);
    LittleEndianReader trailer{frame.subspan(payload.size(), crc_size)};
    if (trailer.u32() != crc32(payload)) return Failure{FrameError::checksum};
    return payload;
}

std::optional<Result<ByteView, FrameError>> FrameReceiver::push(std::uint8_t byte) {
    if (byte != 0) {
        overflow_ = overflow_ || used_ == buffer_.size();
        if (!overflow_) buffer_[used_++] = byte;
        return std::nullopt;
    }
    const std::size_t size = used_;
    const bool overflow = overflow_;
    used_ = 0;
    overflow_ = false;
    if (overflow) return Failure{FrameError::too_long};
    if (size == 0) return std::nullopt;
    return decode_frame(buffer_.first(size));
}

} // namespace casemate::relay
