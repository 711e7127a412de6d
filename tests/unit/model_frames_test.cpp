// SPDX-License-Identifier: Apache-2.0
// Framing of swtpm's control and data channels: every split of the byte stream, every command number.
#include "dlaunch/model/tpm_frames.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace casemate;
using namespace casemate::model;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes control(std::uint32_t command, std::size_t body) {
    Bytes bytes(4 + body);
    BigEndianWriter{bytes}.u32(command);
    return bytes;
}

Bytes hash_data(std::uint32_t claimed, std::size_t present) {
    Bytes bytes = control(7, 4 + present);
    BigEndianWriter{ByteSpan{bytes}.subspan(4)}.u32(claimed);
    return bytes;
}

Bytes tpm_message(std::uint32_t claimed, std::size_t present) {
    Bytes bytes(present);
    BigEndianWriter writer{bytes};
    writer.u16(0x8001);
    writer.u32(claimed);
    return bytes;
}

} // namespace

TEST_CASE("a control frame is complete at its last byte and not before, for every split") {
    const std::pair<std::uint32_t, std::size_t> commands[] = {{1, 0}, {2, 4}, {3, 0},  {4, 0},  {5, 4},  {6, 0},  {8, 0},
                                                              {9, 0}, {10, 0}, {11, 4}, {14, 0}, {15, 0}, {16, 0}, {17, 4}};
    for (const auto& [command, body] : commands) {
        Bytes stream = control(command, body);
        const std::size_t size = stream.size();
        stream.push_back(0xee); // the next frame's first byte
        for (std::size_t split = 0; split <= stream.size(); ++split) {
            const ControlFrame frame = next_control_frame(ByteView{stream}.first(split));
            INFO("command " << command << " split " << split);
            CHECK(frame.state == (split < size ? FrameState::incomplete : FrameState::complete));
            if (split >= size) CHECK(frame.size == size);
        }
    }
}

TEST_CASE("hash commands and only they are refused by rule, whatever they carry") {
    CHECK(next_control_frame(control(6, 0)).rule->verdict == Verdict::refuse);
    CHECK(next_control_frame(control(8, 0)).rule->verdict == Verdict::refuse);
    for (const std::size_t length : {0u, 1u, 4096u}) {
        const Bytes stream = hash_data(static_cast<std::uint32_t>(length), length);
        for (std::size_t split = 0; split < stream.size(); ++split)
            CHECK(next_control_frame(ByteView{stream}.first(split)).state == FrameState::incomplete);
        const ControlFrame frame = next_control_frame(stream);
        CHECK(frame.state == FrameState::complete);
        CHECK(frame.size == stream.size());
        CHECK(frame.rule->verdict == Verdict::refuse);
    }
    CHECK(next_control_frame(hash_data(4097, 0)).state == FrameState::malformed);
    CHECK(next_control_frame(hash_data(0xffffffff, 100)).state == FrameState::malformed);
}

TEST_CASE("state blobs and every unknown control command have no rule and swallow what came with them") {
    for (const std::uint32_t command : {0u, 12u, 13u, 18u, 19u, 0x100u, 0xffffffffu}) {
        const ControlFrame frame = next_control_frame(control(command, 9));
        CHECK(frame.state == FrameState::complete);
        CHECK(frame.size == 13);
        CHECK(frame.rule == nullptr);
    }
}

TEST_CASE("a TPM message is complete at the size that its header says") {
    for (const std::size_t size : {10u, 11u, 4096u}) {
        const Bytes stream = tpm_message(static_cast<std::uint32_t>(size), size + 3);
        for (std::size_t split = 0; split <= stream.size(); ++split) {
            const DataFrame frame = next_data_frame(ByteView{stream}.first(split));
            CHECK(frame.state == (split < size ? FrameState::incomplete : FrameState::complete));
            if (split >= size) CHECK(frame.size == size);
        }
    }
}

TEST_CASE("a TPM message of impossible size is malformed") {
    for (const std::uint32_t size : {0u, 9u, 16385u, 0x7fffffffu, 0xffffffffu})
        CHECK(next_data_frame(tpm_message(size, 10)).state == FrameState::malformed);
}
