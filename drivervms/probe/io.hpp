// SPDX-License-Identifier: Apache-2.0
// What both probes need of the operating system: an owned descriptor, whole writes, elapsed time, one kind of
// failure. Who calls it: cm-probe and casemate-peer; a failure ends the program with one clear line.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>

namespace casemate::probe {

/// A system call that failed: what it was about, and errno in words.
inline std::runtime_error failed(const std::string& what) {
    return std::runtime_error(what + ": " + std::strerror(errno));
}

class Descriptor {
public:
    /// Takes ownership; throws when `fd` is negative.
    Descriptor(int fd, const std::string& what) : fd_{fd} {
        if (fd < 0) throw failed(what);
    }
    Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

inline void write_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) throw failed("write");
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

/// The number of bytes read; 0 at the end.
inline std::size_t read_some(int fd, ByteSpan buffer) {
    ssize_t count = 0;
    do count = ::read(fd, buffer.data(), buffer.size());
    while (count < 0 && errno == EINTR);
    if (count < 0) throw failed("read");
    return static_cast<std::size_t>(count);
}

class Stopwatch {
public:
    [[nodiscard]] double seconds() const { return now() - start_; }

private:
    static double now() {
        timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    }
    double start_ = now();
};

} // namespace casemate::probe
