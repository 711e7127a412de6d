// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/unique_fd.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace casemate::model {

Outcome<UniqueFd> listen_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return fail("the path " + path + " is too long for a socket");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    // SAFETY: the sockets interface takes every address through sockaddr.
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(listener.get(), generic, sizeof address) != 0 || ::listen(listener.get(), 1) != 0)
        return fail_errno("cannot listen at " + path);
    return listener;
}

Outcome<Channel> make_socket_channel() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_errno("no socket pair");
    Channel channel{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return fail_errno("no non-blocking socket");
    return channel;
}

Outcome<Channel> make_pipe_to_child() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("no pipe");
    return Channel{UniqueFd{ends[1]}, UniqueFd{ends[0]}};
}

Outcome<Channel> make_pipe_from_child() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("no pipe");
    Channel channel{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return fail_errno("no non-blocking pipe");
    return channel;
}

} // namespace casemate::model
