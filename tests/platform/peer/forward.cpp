// SPDX-License-Identifier: Apache-2.0
// Implements forward.hpp.
#include "tests/platform/peer/forward.hpp"

#include "drivervms/probe/io.hpp"

#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace casemate::probe {
namespace {

/// False at the end of `from`.
bool pass_on(int from, int to) {
    std::array<std::uint8_t, 16384> buffer;
    const std::size_t count = read_some(from, buffer);
    write_all(to, ByteView{buffer}.first(count));
    return count != 0;
}

} // namespace

void forward(std::uint16_t port) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(port);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const Descriptor server{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"};
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) throw failed("connect");
    std::array<pollfd, 2> ends{{{STDIN_FILENO, POLLIN, 0}, {server.get(), POLLIN, 0}}};
    for (;;) {
        if (::poll(ends.data(), ends.size(), -1) < 0) throw failed("poll");
        if (ends[0].revents != 0 && !pass_on(STDIN_FILENO, server.get())) return;
        if (ends[1].revents != 0 && !pass_on(server.get(), STDOUT_FILENO)) return;
    }
}

} // namespace casemate::probe
