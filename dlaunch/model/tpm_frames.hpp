// SPDX-License-Identifier: Apache-2.0
// Framing of swtpm's two channels, as pure functions over what has been received so far.
// Control: u32 big-endian command, then a body whose length depends on the command; no length field.
// Data: TPM commands and responses, whose header holds their size [TPM2-P1 18].
// Called by TpmProxy. UNTRUSTED: everything from QEMU's side is as good as made by the guest.
#pragma once

#include "hypervisor/base/bytes.hpp"

namespace casemate::model {

enum class Control : std::uint32_t {
    get_capability = 1,
    init = 2,
    shutdown = 3,
    get_established = 4,
    set_locality = 5,
    hash_start = 6,
    hash_data = 7,
    hash_end = 8,
    cancel = 9,
    store_volatile = 10,
    reset_established = 11,
    get_state_blob = 12,
    set_state_blob = 13,
    stop = 14,
    get_config = 15,
    set_data_fd = 16,
    set_buffer_size = 17,
};

enum class Verdict { pass, refuse, take_data_fd };

/// What the proxy knows of one control command.
struct ControlRule {
    Control command;
    Verdict verdict;
    std::size_t body;     // bytes after the command word
    std::size_t response; // bytes of a good response
};

enum class FrameState { incomplete, complete, malformed };

struct ControlFrame {
    FrameState state;
    std::size_t size = 0;              // of the whole frame, when complete
    const ControlRule* rule = nullptr; // null for a command that is unknown or without a rule: refuse it
};

/// Looks at the first frame in `received`. An unknown command has no known length: all of `received` is its frame.
ControlFrame next_control_frame(ByteView received);

/// Size of the TPM command or response at the front; malformed when its header claims an impossible size.
struct DataFrame {
    FrameState state;
    std::size_t size = 0;
};
DataFrame next_data_frame(ByteView received);

inline constexpr std::size_t tpm_header_size = 10;
inline constexpr std::size_t tpm_message_limit = 16 * 1024; // four times what swtpm's buffer can be
inline constexpr std::uint32_t control_refused = 0x0A;      // TPM_BAD_ORDINAL, what swtpm says to the unknown

} // namespace casemate::model
