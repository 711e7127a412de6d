// SPDX-License-Identifier: Apache-2.0
// The network driver's traffic proof, over TCP against casemate-peer.
#pragma once

#include "drivervms/probe/io.hpp"

#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

namespace casemate::probe {

struct Transfer {
    std::uint64_t bytes = 0;
    std::string sha256{};
    double seconds = 0;
};

/// Throws when `address` is not a dotted IPv4 address.
[[nodiscard]] sockaddr_in address_of(const std::string& address, std::uint16_t port);
/// A connection whose every wait is bounded.
[[nodiscard]] Descriptor connect_to(const std::string& address, std::uint16_t port);

/// Reads until the peer closes.
[[nodiscard]] Transfer download(const std::string& address, std::uint16_t port);

/// Sends Pattern(seed), then waits for the peer's digest of what it got; throws when that is not ours.
[[nodiscard]] Transfer upload(const std::string& address, std::uint16_t port, std::uint64_t bytes,
                              std::uint64_t seed);

} // namespace casemate::probe
