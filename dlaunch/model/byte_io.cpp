// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/byte_io.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace casemate::model {
namespace {

using Clock = std::chrono::steady_clock;

/// A signal does not shorten the wait: to whoever waits it would look like a peer that does not answer.
bool wait_for(int fd, short events, Millis limit) {
    const auto deadline = Clock::now() + limit;
    while (true) {
        const auto left = std::chrono::ceil<Millis>(deadline - Clock::now());
        pollfd entry{fd, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::max<Millis::rep>(left.count(), 0)));
        if (ready >= 0 || errno != EINTR) return ready > 0;
    }
}

} // namespace

Status<Error> write_all(int fd, ByteView bytes, Millis limit) {
    const auto deadline = Clock::now() + limit;
    while (!bytes.empty()) {
        const ssize_t written = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            const auto left = std::chrono::duration_cast<Millis>(deadline - Clock::now());
            if (left.count() <= 0 || !wait_for(fd, POLLOUT, left)) return fail("the other side does not read");
        } else if (errno != EINTR) {
            return fail_errno("write failed");
        }
    }
    return Done{};
}

ReadOutcome read_available(int fd, std::vector<std::uint8_t>& buffer) {
    std::uint8_t chunk[16384];
    const ssize_t count = ::read(fd, chunk, sizeof chunk);
    if (count > 0) {
        buffer.insert(buffer.end(), chunk, chunk + count);
        return ReadOutcome::data;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return ReadOutcome::nothing;
    return ReadOutcome::end;
}

bool wait_readable(int fd, Millis limit) { return wait_for(fd, POLLIN, limit); }

} // namespace casemate::model
