// SPDX-License-Identifier: Apache-2.0
// What stands before each packet in a virtio-net queue [VIRTIO 5.1.6], and which packets may go on to the other end.
// UNTRUSTED: the sender wrote it. Pure; used by link.cpp.
#pragma once

#include <cstdint>

namespace casemate::vlink {

/// Bits of the features that both ends know [VIRTIO 5.1.3, 6].
namespace feature {
constexpr std::uint64_t bit(unsigned number) { return 1ull << number; }
inline constexpr std::uint64_t csum = bit(0), guest_csum = bit(1), mtu = bit(3), mac = bit(5),
                               guest_tso4 = bit(7), guest_tso6 = bit(8), guest_ecn = bit(9),
                               host_tso4 = bit(11), host_tso6 = bit(12), host_ecn = bit(13),
                               mrg_rxbuf = bit(15), status = bit(16), indirect = bit(28), event_idx = bit(29),
                               version_1 = bit(32);
} // namespace feature

/// struct virtio_net_hdr
struct NetHeader {
    std::uint8_t flags;
    std::uint8_t gso_type;
    std::uint16_t hdr_len;
    std::uint16_t gso_size;
    std::uint16_t csum_start;
    std::uint16_t csum_offset;
    std::uint16_t num_buffers;
};
static_assert(sizeof(NetHeader) == 12);

inline constexpr std::uint16_t max_mtu = 9000;

/// In the order of the checks; the numbers are in docs/interfaces/vlink.md.
enum class Drop : std::uint8_t {
    receiver_down, // no driver, broken, or its VM does not run
    frame_size,    // shorter than an Ethernet header, or longer than the MTU or one TCP unit allows
    checksum,      // asked for and not negotiated by both, or outside the packet
    segmentation, // unknown kind, not negotiated by both, without checksum or size, or headers outside the packet
    no_room,      // longer than all buffers that the receiver can offer
    count
};

/// May a packet of `bytes` behind its header go from one driver to the other? `count` is yes.
[[nodiscard]] Drop judge(const NetHeader& header, std::uint64_t bytes, std::uint64_t sender_features,
                         std::uint64_t receiver_features);

/// As the receiver sees it: nothing but what judge() looked at.
[[nodiscard]] NetHeader cleaned(const NetHeader& header, std::uint16_t buffers);

} // namespace casemate::vlink
