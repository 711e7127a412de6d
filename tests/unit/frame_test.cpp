// SPDX-License-Identifier: Apache-2.0
// The UART frame codec: golden vectors, round trips at the block boundaries, every truncation, every bit flip.
#include "attest/relay/frame.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace casemate;
using namespace casemate::relay;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes encoded(const Bytes& payload) {
    Bytes frame(max_frame_size(payload.size()));
    const auto size = encode_frame(payload, frame);
    REQUIRE(size.ok());
    frame.resize(size.value());
    return frame;
}

/// Pushes all bytes; the results in order.
std::vector<Result<Bytes, FrameError>> received(FrameReceiver& receiver, ByteView stream) {
    std::vector<Result<Bytes, FrameError>> results;
    for (const std::uint8_t byte : stream) {
        const auto result = receiver.push(byte);
        if (!result) continue;
        if (result->ok()) results.emplace_back(Bytes{result->value().begin(), result->value().end()});
        else results.emplace_back(Failure{result->error()});
    }
    return results;
}

Bytes pattern(std::size_t size, std::size_t zero_every) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(zero_every != 0 && i % zero_every == 0 ? 0 : 1 + i % 255);
    return bytes;
}

} // namespace

TEST_CASE("the CRC has the check value of CRC-32/ISO-HDLC", "[frame]") {
    const std::string digits = "123456789";
    CHECK(crc32({reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size()}) == 0xCBF43926);
    CHECK(crc32({}) == 0);
}

TEST_CASE("frames are the golden ones", "[frame]") {
    CHECK(encoded({}) == Bytes{1, 1, 1, 1, 1, 0}); // four zero bytes of CRC
    CHECK(encoded({'1', '2', '3', '4', '5', '6', '7', '8', '9'}) ==
          Bytes{14, '1', '2', '3', '4', '5', '6', '7', '8', '9', 0x26, 0x39, 0xF4, 0xCB, 0});
    CHECK(encoded({0}) == Bytes{1, 5, 0x8D, 0xEF, 0x02, 0xD2, 0});
}

TEST_CASE("what was encoded is decoded, around every block boundary", "[frame]") {
    Bytes buffer(max_frame_size(max_payload));
    FrameReceiver receiver{buffer};
    for (std::size_t zero_every : {0, 1, 2, 7, 250, 254, 255}) {
        for (std::size_t size = 0; size < 770; ++size) {
            const Bytes payload = pattern(size, zero_every);
            const auto results = received(receiver, encoded(payload));
            REQUIRE(results.size() == 1);
            REQUIRE(results[0].ok());
            REQUIRE(results[0].value() == payload);
        }
    }
}

TEST_CASE("a payload of 256 KiB passes and one byte more does not", "[frame]") {
    Bytes buffer(max_frame_size(max_payload));
    FrameReceiver receiver{buffer};
    const Bytes payload = pattern(max_payload, 0);
    const auto results = received(receiver, encoded(payload));
    REQUIRE(results.size() == 1);
    CHECK(results[0].value() == payload);

    const Bytes longer = pattern(max_payload + 1, 0);
    Bytes frame(max_frame_size(longer.size()));
    CHECK(encode_frame(longer, frame).error() == FrameError::too_long);
}

TEST_CASE("a frame buffer that is one byte short is refused", "[frame]") {
    const Bytes payload = pattern(600, 3);
    Bytes frame(max_frame_size(payload.size()) - 1);
    CHECK(encode_frame(payload, frame).error() == FrameError::too_long);
}

TEST_CASE("every truncation of a frame is dropped and the next frame arrives", "[frame]") {
    const Bytes payload = pattern(300, 11);
    const Bytes frame = encoded(payload);
    Bytes buffer(max_frame_size(max_payload));
    for (std::size_t cut = 1; cut + 1 < frame.size(); ++cut) {
        Bytes stream(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(cut));
        stream.push_back(0);
        stream.insert(stream.end(), frame.begin(), frame.end());
        FrameReceiver receiver{buffer};
        const auto results = received(receiver, stream);
        REQUIRE(results.size() == 2);
        REQUIRE_FALSE(results[0].ok());
        REQUIRE(results[1].ok());
        REQUIRE(results[1].value() == payload);
    }
}

TEST_CASE("every flipped bit of a frame is noticed", "[frame]") {
    const Bytes payload = pattern(40, 5);
    const Bytes frame = encoded(payload);
    Bytes buffer(max_frame_size(max_payload));
    for (std::size_t bit = 0; bit < 8 * (frame.size() - 1); ++bit) {
        Bytes damaged = frame;
        damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << bit % 8));
        FrameReceiver receiver{buffer};
        for (const auto& result : received(receiver, damaged)) REQUIRE_FALSE(result.ok());
    }
}

TEST_CASE("a frame longer than the buffer is reported once and the next one arrives", "[frame]") {
    Bytes buffer(64);
    FrameReceiver receiver{buffer};
    Bytes stream(200, 7);
    stream.push_back(0);
    const Bytes payload = pattern(20, 0);
    const Bytes good = encoded(payload);
    stream.insert(stream.end(), good.begin(), good.end());
    const auto results = received(receiver, stream);
    REQUIRE(results.size() == 2);
    CHECK(results[0].error() == FrameError::too_long);
    CHECK(results[1].value() == payload);
}

TEST_CASE("empty frames are skipped", "[frame]") {
    Bytes buffer(64);
    FrameReceiver receiver{buffer};
    CHECK(received(receiver, Bytes{0, 0, 0}).empty());
}
