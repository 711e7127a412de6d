// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/fd_passing.hpp"

#include <sys/socket.h>

namespace casemate::model {
namespace {

struct alignas(cmsghdr) OneFdMessage {
    char bytes[CMSG_SPACE(sizeof(int))] = {};
};

} // namespace

Status<Error> send_fd(int socket, ByteView message, int fd) {
    OneFdMessage control;
    // SAFETY: sendmsg does not write to the message.
    iovec part{const_cast<std::uint8_t*>(message.data()), message.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(first), &fd, sizeof fd);
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) != static_cast<ssize_t>(message.size()))
        return fail_errno("cannot pass a descriptor");
    return Done{};
}

ReadOutcome receive_with_fd(int socket, std::vector<std::uint8_t>& buffer, UniqueFd& passed) {
    std::uint8_t chunk[8192];
    OneFdMessage control;
    iovec part{chunk, sizeof chunk};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    const ssize_t count = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? ReadOutcome::nothing : ReadOutcome::end;
    if (count == 0) return ReadOutcome::end;
    for (cmsghdr* entry = CMSG_FIRSTHDR(&header); entry; entry = CMSG_NXTHDR(&header, entry)) {
        if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) continue;
        int fd;
        std::memcpy(&fd, CMSG_DATA(entry), sizeof fd);
        passed = UniqueFd{fd};
    }
    buffer.insert(buffer.end(), chunk, chunk + count);
    return ReadOutcome::data;
}

} // namespace casemate::model
