// SPDX-License-Identifier: Apache-2.0
// Implements serve.hpp.
#include "tests/platform/peer/serve.hpp"

#include "drivervms/probe/io.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>
#include <arpa/inet.h>
#include <sys/socket.h>

namespace casemate::probe {
namespace {

constexpr std::size_t chunk = 256 * 1024;
constexpr std::size_t longest_datagram = 2048;
constexpr timeval patience{60, 0};

Descriptor bound(int type, const std::string& address, std::uint16_t port) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &own.sin_addr) != 1)
        throw std::runtime_error("not an IPv4 address: " + address);
    Descriptor socket{::socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket"};
    constexpr int yes = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
        throw failed("listen at " + address + ":" + std::to_string(port));
    return socket;
}

std::string first_line(int fd) {
    std::string line;
    std::uint8_t c = 0;
    while (line.size() < 64 && read_some(fd, {&c, 1}) == 1 && c != '\n') line += static_cast<char>(c);
    return line;
}

void source(int fd, std::uint64_t bytes) {
    const std::vector<std::uint8_t> buffer(chunk);
    while (bytes != 0) {
        const ByteView part = ByteView{buffer}.first(std::min<std::uint64_t>(bytes, chunk));
        write_all(fd, part);
        bytes -= part.size();
    }
}

void sink(int fd) {
    std::vector<std::uint8_t> buffer(chunk);
    std::uint64_t bytes = 0;
    while (const std::size_t count = read_some(fd, buffer)) bytes += count;
    const std::string answer = std::to_string(bytes) + "\n";
    write_all(fd, {reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size()});
}

void serve_connection(int fd) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const std::string request = first_line(fd);
    if (request.starts_with("source ")) source(fd, std::stoull(request.substr(7)));
    else if (request == "sink") sink(fd);
}

void serve_tcp(const Descriptor& listener) {
    for (;;) {
        try {
            const Descriptor connection{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"};
            serve_connection(connection.get());
        } catch (const std::exception& error) { // of one client: the next one is served
            std::fprintf(stderr, "casemate-peer: %s\n", error.what());
        }
    }
}

class DatagramService {
public:
    explicit DatagramService(Descriptor socket) : socket_{std::move(socket)} {
        constexpr int room = 4 << 20;
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }

    [[noreturn]] void run() {
        char buffer[longest_datagram];
        for (;;) {
            socklen_t size = sizeof client_;
            const ssize_t length =
                ::recvfrom(socket_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&client_), &size);
            if (length >= 0) take({buffer, static_cast<std::size_t>(length)});
        }
    }

private:
    void take(const std::string& request) {
        unsigned long long count = 0, per_second = 0, size = 0;
        if (request.starts_with("echo")) answer(request);
        else if (request == "count") answer(std::to_string(counted_));
        else if (std::sscanf(request.c_str(), "flood %llu %llu %llu", &count, &per_second, &size) == 3)
            flood(count, std::max(per_second, 1000ULL), std::min<unsigned long long>(size, longest_datagram));
        else ++counted_;
    }
    void answer(const std::string& text) {
        (void)!::sendto(socket_.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&client_),
                        sizeof client_);
    }
    /// A burst each millisecond.
    void flood(std::uint64_t count, std::uint64_t per_second, std::size_t size) {
        const std::string payload(size, '.');
        const std::uint64_t burst = per_second / 1000;
        auto next = std::chrono::steady_clock::now();
        for (std::uint64_t sent = 0; sent < count; ++sent) {
            answer(payload);
            if (sent % burst != 0) continue;
            next += std::chrono::milliseconds{1};
            std::this_thread::sleep_until(next);
        }
    }

    Descriptor socket_;
    sockaddr_in client_{};
    std::uint64_t counted_ = 0;
};

} // namespace

void serve(const std::string& address, std::uint16_t port) {
    const Descriptor listener = bound(SOCK_STREAM, address, port);
    if (::listen(listener.get(), 4) != 0) throw failed("listen");
    DatagramService datagrams{bound(SOCK_DGRAM, address, port)};
    std::thread{[&] { serve_tcp(listener); }}.detach();
    datagrams.run();
}

} // namespace casemate::probe
