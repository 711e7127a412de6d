// SPDX-License-Identifier: Apache-2.0
// A network namespace of the bench's own with a tap in it: everything that the bench starts lives there, nothing of it is
// visible to the machine, and it goes when the last process goes. Call it first in main(), before any thread or child.
#pragma once

#include "dlaunch/model/error.hpp"

#include <string>

namespace casemate::bench {

/// How the two ends of the driver VM's network are reached.
struct Network {
    std::string tap;             // empty: QEMU's user network, slow in itself
    std::string why_not;         // then: the reason
    std::string peer_address;    // as the VM sees the peer
    std::string listen_address;  // where the peer listens
    std::uint16_t port;
};

/// Never fails: without the right to make a namespace or a tap it is the user network.
[[nodiscard]] Network make_network();

} // namespace casemate::bench
