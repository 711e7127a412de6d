// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/unique_fd.hpp"

#include <fcntl.h>
#include <sys/socket.h>

namespace casemate::model {

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
