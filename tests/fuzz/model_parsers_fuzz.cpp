// SPDX-License-Identifier: Apache-2.0
// Any bytes from QEMU's side into the platform model's parsers: frames lie inside what was received and never carry
// a hash command through; console lines are bounded and printable.
#include "dlaunch/model/console.hpp"
#include "dlaunch/model/gdb_packet.hpp"
#include "dlaunch/model/tpm_frames.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::model;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void control_frames(ByteView bytes) {
    while (true) {
        const ControlFrame frame = next_control_frame(bytes);
        if (frame.state != FrameState::complete) return;
        require(frame.size >= 4 && frame.size <= bytes.size());
        const std::uint32_t command = BigEndianReader{bytes}.u32();
        const bool passes = frame.rule && frame.rule->verdict == Verdict::pass;
        require(!passes || command < 6 || (command > 8 && command != 12 && command != 13));
        bytes = bytes.subspan(frame.size);
    }
}

void data_frame(ByteView bytes) {
    const DataFrame frame = next_data_frame(bytes);
    require(frame.state != FrameState::complete || (frame.size >= tpm_header_size && frame.size <= bytes.size()));
}

void packets(ByteView bytes) {
    PacketDecoder decoder;
    decoder.append(bytes);
    while (const auto packet = decoder.next()) {
        PacketDecoder again;
        const std::string encoded = encode_packet(*packet);
        again.append({reinterpret_cast<const std::uint8_t*>(encoded.data()), encoded.size()});
        require(again.next() == packet);
    }
}

void console(ByteView bytes) {
    ConsoleLines lines;
    const auto check = [](const std::string& line) {
        require(line.size() <= 4096);
        for (const char c : line) require(c == '\t' || static_cast<unsigned char>(c) >= ' ');
    };
    lines.append(bytes, check);
    lines.flush(check);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    control_frames(bytes);
    data_frame(bytes);
    packets(bytes);
    console(bytes);
    return 0;
}
