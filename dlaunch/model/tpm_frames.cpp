// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/tpm_frames.hpp"

#include <algorithm>

namespace casemate::model {
namespace {

// HASH_*: QEMU never sends them, and passing them would let its side forge a launch. STATE_BLOB would let it
// replace the TPM's state. It has no rule and is refused as unknown.
constexpr ControlRule rules[] = {
    {Control::get_capability, Verdict::pass, 0, 8},
    {Control::init, Verdict::pass, 4, 4},
    {Control::shutdown, Verdict::pass, 0, 4},
    {Control::get_established, Verdict::pass, 0, 8},
    {Control::set_locality, Verdict::pass, 4, 4},
    {Control::hash_start, Verdict::refuse, 0, 4},
    {Control::hash_data, Verdict::refuse, 4, 4}, // and as many bytes as its length field says
    {Control::hash_end, Verdict::refuse, 0, 4},
    {Control::cancel, Verdict::pass, 0, 4},
    {Control::store_volatile, Verdict::pass, 0, 4},
    {Control::reset_established, Verdict::pass, 4, 4},
    {Control::stop, Verdict::pass, 0, 4},
    {Control::get_config, Verdict::pass, 0, 8},
    {Control::set_data_fd, Verdict::take_data_fd, 0, 4},
    {Control::set_buffer_size, Verdict::pass, 4, 16},
};

constexpr std::size_t word = 4;
constexpr std::size_t hash_data_limit = 4096;

} // namespace

ControlFrame next_control_frame(ByteView received) {
    if (received.size() < word) return {FrameState::incomplete};
    const auto command = static_cast<Control>(BigEndianReader{received}.u32());
    const auto* rule = std::find_if(std::begin(rules), std::end(rules),
                                    [&](const ControlRule& candidate) { return candidate.command == command; });
    if (rule == std::end(rules)) return {FrameState::complete, received.size(), nullptr};
    std::size_t size = word + rule->body;
    if (received.size() < size) return {FrameState::incomplete};
    if (command == Control::hash_data) {
        const std::size_t length = BigEndianReader{received.subspan(word)}.u32();
        if (length > hash_data_limit) return {FrameState::malformed};
        size += length;
    }
    if (received.size() < size) return {FrameState::incomplete};
    return {FrameState::complete, size, rule};
}

DataFrame next_data_frame(ByteView received) {
    if (received.size() < tpm_header_size) return {FrameState::incomplete};
    BigEndianReader header{received};
    header.u16(); // tag
    const std::size_t size = header.u32();
    if (size < tpm_header_size || size > tpm_message_limit) return {FrameState::malformed};
    if (received.size() < size) return {FrameState::incomplete};
    return {FrameState::complete, size};
}

} // namespace casemate::model
