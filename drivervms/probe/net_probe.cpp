// SPDX-License-Identifier: Apache-2.0
// Implements net_probe.hpp. Every wait for the peer is bounded by `patience`.
#include "drivervms/probe/net_probe.hpp"

#include "drivervms/probe/digest.hpp"
#include "drivervms/probe/pattern.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <vector>

namespace casemate::probe {
namespace {

constexpr timeval patience{60, 0};
constexpr std::size_t chunk = 256 * 1024;

std::string read_rest(int fd) {
    std::string text;
    std::uint8_t buffer[128];
    while (text.size() < 1024) {
        const std::size_t count = read_some(fd, buffer);
        if (count == 0) break;
        text.append(buffer, buffer + count);
    }
    return text;
}

} // namespace

sockaddr_in address_of(const std::string& address, std::uint16_t port) {
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &peer.sin_addr) != 1)
        throw std::runtime_error("not an IPv4 address: " + address);
    return peer;
}

Descriptor connect_to(const std::string& address, std::uint16_t port) {
    const sockaddr_in peer = address_of(address, port);
    Descriptor connection{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"};
    ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0)
        throw failed("connect to " + address + ":" + std::to_string(port));
    return connection;
}

Transfer download(const std::string& address, std::uint16_t port) {
    const Descriptor connection = connect_to(address, port);
    const Stopwatch watch;
    Digest digest;
    Transfer transfer;
    std::vector<std::uint8_t> buffer(chunk);
    while (const std::size_t count = read_some(connection.get(), buffer)) {
        digest.update({buffer.data(), count});
        transfer.bytes += count;
    }
    transfer.seconds = watch.seconds();
    transfer.sha256 = digest.hex();
    return transfer;
}

Transfer upload(const std::string& address, std::uint16_t port, std::uint64_t bytes, std::uint64_t seed) {
    const Descriptor connection = connect_to(address, port);
    const Stopwatch watch;
    Pattern pattern{seed};
    Digest digest;
    std::vector<std::uint8_t> buffer(chunk);
    for (std::uint64_t left = bytes; left != 0;) {
        const ByteSpan part = ByteSpan{buffer}.first(std::min<std::uint64_t>(left, chunk));
        pattern.fill(part);
        digest.update(part);
        write_all(connection.get(), part);
        left -= part.size();
    }
    ::shutdown(connection.get(), SHUT_WR);
    const std::string answer = read_rest(connection.get());
    if (answer != digest.hex() + "\n") throw std::runtime_error("the peer received other bytes: " + answer);
    return {bytes, digest.hex(), watch.seconds()};
}

} // namespace casemate::probe
