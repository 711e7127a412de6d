// SPDX-License-Identifier: Apache-2.0
// Frames of the management UART: COBS( payload || CRC-32 ) 0x00, see docs/interfaces/relay.md.
// Invariant: a frame that was damaged, cut short or is too long is dropped whole; the byte after the next zero
// starts a clean frame. The CRC finds line noise only: everything that matters is signed by somebody else.
// Who calls it: casemate-agent and the relay. Portable, no allocation.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

#include <optional>

namespace casemate::relay {

inline constexpr std::size_t max_payload = 256 * 1024;
inline constexpr std::size_t crc_size = 4;

/// Bytes that a frame of `payload` bytes may need: one code byte for each started 254 bytes, and the final zero.
[[nodiscard]] constexpr std::size_t max_frame_size(std::size_t payload) {
    return payload + crc_size + (payload + crc_size) / 254 + 2;
}

enum class FrameError : std::uint8_t {
    too_long,  // more than max_payload, or more than the caller's buffer holds
    malformed, // not COBS
    too_short, // no room for a CRC
    checksum,
};

/// CRC-32/ISO-HDLC (the one of Ethernet and zlib).
[[nodiscard]] std::uint32_t crc32(ByteView bytes);

/// Writes the whole frame with its final zero; the value is its size.
[[nodiscard]] Result<std::size_t, FrameError> encode_frame(ByteView payload, ByteSpan frame);

/// Undoes COBS in place and checks the CRC. `frame` is UNTRUSTED and without the final zero; the payload is a
/// view into it. On failure the contents of `frame` are unspecified.
[[nodiscard]] Result<ByteView, FrameError> decode_frame(ByteSpan frame);

/// Cuts a stream into frames. The buffer should hold max_frame_size(max_payload) bytes.
class FrameReceiver {
public:
    explicit FrameReceiver(ByteSpan buffer) : buffer_{buffer} {}

    /// nullopt: the frame goes on. A payload stays valid until the next push. Empty frames are skipped, so a
    /// sender may begin with a zero to end whatever noise came before.
    [[nodiscard]] std::optional<Result<ByteView, FrameError>> push(std::uint8_t byte);

private:
    ByteSpan buffer_;
    std::size_t used_ = 0;
    bool overflow_ = false;
};

} // namespace casemate::relay
