// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/vlink/net_header.hpp"

namespace casemate::vlink {
namespace {

constexpr std::uint8_t needs_csum = 1;
constexpr std::uint8_t gso_none = 0, gso_tcpv4 = 1, gso_tcpv6 = 4, gso_ecn = 0x80;
constexpr std::uint64_t link_header = 14, vlan_tag = 4, checksum_bytes = 2, max_ip_packet = 65'535;

/// Both features of a pair: what one may send and the other may receive.
constexpr bool agreed(std::uint64_t sender, std::uint64_t sends, std::uint64_t receiver,
                      std::uint64_t receives) {
    return (sender & sends) != 0 && (receiver & receives) != 0;
}

bool kind_agreed(std::uint8_t gso_type, std::uint64_t sender, std::uint64_t receiver) {
    using namespace feature;
    if ((gso_type & gso_ecn) != 0 && !agreed(sender, host_ecn, receiver, guest_ecn)) return false;
    switch (gso_type & ~gso_ecn) {
    case gso_tcpv4: return agreed(sender, host_tso4, receiver, guest_tso4);
    case gso_tcpv6: return agreed(sender, host_tso6, receiver, guest_tso6);
    default: return false;
    }
}

} // namespace

Drop judge(const NetHeader& header, std::uint64_t bytes, std::uint64_t sender, std::uint64_t receiver) {
    const bool unit = header.gso_type != gso_none;
    const bool sums = (header.flags & needs_csum) != 0;
    const std::uint64_t longest = (unit ? max_ip_packet : max_mtu) + link_header + vlan_tag;
    if (bytes < link_header || bytes > longest) return Drop::frame_size;
    if (sums && (!agreed(sender, feature::csum, receiver, feature::guest_csum) ||
                 std::uint64_t{header.csum_start} + header.csum_offset + checksum_bytes > bytes))
        return Drop::checksum;
    if (unit && (!kind_agreed(header.gso_type, sender, receiver) || !sums || header.gso_size == 0 ||
                 header.hdr_len > bytes))
        return Drop::segmentation;
    return Drop::count;
}

NetHeader cleaned(const NetHeader& header, std::uint16_t buffers) {
    NetHeader clean{};
    clean.num_buffers = buffers;
    clean.flags = header.flags & needs_csum;
    clean.gso_type = header.gso_type;
    if (clean.flags != 0) {
        clean.csum_start = header.csum_start;
        clean.csum_offset = header.csum_offset;
    }
    if (clean.gso_type != gso_none) {
        clean.hdr_len = header.hdr_len;
        clean.gso_size = header.gso_size;
    }
    return clean;
}

} // namespace casemate::vlink
