// SPDX-License-Identifier: Apache-2.0
// GDB remote serial protocol packets: `$payload#checksum`, acknowledged by `+` [GDB manual, appendix E].
// Pure codec; GdbClient does the talking. QEMU's stub has no no-ack mode and sends no escapes or run-lengths
// in the answers that are used here.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace casemate::model {

std::string encode_packet(std::string_view payload);

/// Takes received bytes, gives whole packets.
class PacketDecoder {
public:
    void append(ByteView bytes) { buffer_.append(bytes.begin(), bytes.end()); }
    /// The next packet with a right checksum; acknowledgements and damaged packets are dropped.
    std::optional<std::string> next();

private:
    std::string buffer_;
};

std::string to_hex(ByteView bytes);
/// Nothing when `text` is not an even number of hexadecimal digits.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

} // namespace casemate::model
