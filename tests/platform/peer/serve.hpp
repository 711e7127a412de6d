// SPDX-License-Identifier: Apache-2.0
// The other end of the network measurements (drivervms/probe/bench_net.cpp): one TCP and one UDP service on the same
// port number, one client at a time each.
//   TCP  "source BYTES\n"  answered with so many bytes;   "sink\n" then data to the end: answered with its length
//   UDP  "flood COUNT PER_SECOND SIZE"  that many datagrams at that pace;   "count": how many others have come;
//        "echo...": the same back;   anything else is counted
#pragma once

#include <cstdint>
#include <string>

namespace casemate::probe {

/// Until the process is ended; throws when it cannot listen.
[[noreturn]] void serve(const std::string& address, std::uint16_t port);

} // namespace casemate::probe
