// SPDX-License-Identifier: Apache-2.0
// Owner of one file descriptor, and the two ways in which the model makes descriptors.
#pragma once

#include "dlaunch/model/error.hpp"

#include <unistd.h>
#include <utility>

namespace casemate::model {

class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_{fd} {}
    UniqueFd(UniqueFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    void reset() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_ = -1;
};

/// Two ends of one channel, both close-on-exec; `ours` does not block, `theirs` goes to a child.
struct Channel {
    UniqueFd ours;
    UniqueFd theirs;
};

/// A UNIX socket that listens at `path`, for a child to accept from: whoever connects need not wait for the child.
Outcome<UniqueFd> listen_at(const std::string& path);
/// A connected pair of UNIX stream sockets.
Outcome<Channel> make_socket_channel();
/// A pipe from us to the child; the child's end does not block either.
Outcome<Channel> make_pipe_to_child();
/// A pipe from the child to us.
Outcome<Channel> make_pipe_from_child();

} // namespace casemate::model
