// SPDX-License-Identifier: Apache-2.0
// Network measurements against `casemate-peer serve` (tests/platform/peer/serve.hpp has the protocol). Every wait is bounded.
#include "drivervms/probe/bench.hpp"

#include "drivervms/probe/io.hpp"
#include "drivervms/probe/net_probe.hpp"

#include <algorithm>
#include <fstream>
#include <vector>
#include <arpa/inet.h>
#include <sys/socket.h>

namespace casemate::probe {
namespace {

constexpr std::size_t chunk = 256 * 1024;
constexpr std::size_t datagram = 64;
constexpr std::uint64_t offered_per_second = 100000; // more than the emulated NIC can take
constexpr timeval silence{2, 0};                     // this long without a datagram ends a wait

struct Net {
    std::string interface;
    std::string peer;
    std::uint16_t port;
};

std::uint64_t nic_counter(const Net& net, const char* name) {
    std::uint64_t value = 0;
    std::ifstream{"/sys/class/net/" + net.interface + "/statistics/" + name} >> value;
    return value;
}

/// As the wire sees them: the NIC cuts and joins TCP segments by itself.
std::uint64_t packets(const Net& net) { return nic_counter(net, "rx_packets") + nic_counter(net, "tx_packets"); }

ByteView bytes_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

double megabits_per_second(std::uint64_t bytes, double seconds) { return static_cast<double>(bytes) * 8e-6 / seconds; }

Measured tcp_receive(const Net& net, std::uint64_t mebibytes) {
    const std::uint64_t wanted = mebibytes << 20;
    const Descriptor connection = connect_to(net.peer, net.port);
    std::vector<std::uint8_t> buffer(chunk);
    const std::uint64_t before = packets(net);
    const Stopwatch watch;
    write_all(connection.get(), bytes_of("source " + std::to_string(wanted) + "\n"));
    std::uint64_t got = 0;
    while (const std::size_t count = read_some(connection.get(), buffer)) got += count;
    const double seconds = watch.seconds();
    if (got != wanted) throw std::runtime_error("the peer sent " + std::to_string(got) + " bytes");
    return {megabits_per_second(got, seconds), seconds, packets(net) - before};
}

Measured tcp_send(const Net& net, std::uint64_t mebibytes) {
    const std::uint64_t wanted = mebibytes << 20;
    const Descriptor connection = connect_to(net.peer, net.port);
    const std::vector<std::uint8_t> buffer(chunk);
    const std::uint64_t before = packets(net);
    const Stopwatch watch;
    write_all(connection.get(), bytes_of("sink\n"));
    for (std::uint64_t left = wanted; left != 0;) {
        const ByteView part = ByteView{buffer}.first(std::min<std::uint64_t>(left, chunk));
        write_all(connection.get(), part);
        left -= part.size();
    }
    ::shutdown(connection.get(), SHUT_WR);
    std::uint8_t answer[32];
    const std::size_t length = read_some(connection.get(), answer); // comes when the last byte has arrived
    const double seconds = watch.seconds();
    if (std::string(answer, answer + length) != std::to_string(wanted) + "\n")
        throw std::runtime_error("the peer did not receive every byte");
    return {megabits_per_second(wanted, seconds), seconds, packets(net) - before};
}

Descriptor datagrams_to(const Net& net) {
    const sockaddr_in peer = address_of(net.peer, net.port);
    Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"};
    constexpr int room = 4 << 20;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) throw failed("connect");
    return socket;
}

/// -1 when nothing came for `silence`.
ssize_t receive(const Descriptor& socket, ByteSpan buffer) { return ::recv(socket.get(), buffer.data(), buffer.size(), 0); }

void send_all(const Descriptor& socket, const std::string& text) {
    if (::send(socket.get(), text.data(), text.size(), 0) < 0) throw failed("send");
}

/// The rate at which datagrams reach the program while more are offered than the NIC can take.
Measured udp_receive(const Net& net, std::uint64_t seconds) {
    const Descriptor socket = datagrams_to(net);
    const std::uint64_t before = packets(net);
    send_all(socket, "flood " + std::to_string(seconds * offered_per_second) + " " + std::to_string(offered_per_second) +
                         " " + std::to_string(datagram));
    std::uint8_t buffer[2048];
    if (receive(socket, buffer) < 0) throw std::runtime_error("no datagram came");
    const Stopwatch watch;
    double last = 0;
    std::uint64_t count = 0;
    while (last < static_cast<double>(seconds) && receive(socket, buffer) > 0) {
        ++count;
        last = watch.seconds();
    }
    if (count == 0 || last == 0) throw std::runtime_error("only one datagram came");
    const std::uint64_t seen = packets(net) - before;
    while (receive(socket, buffer) > 0) {} // until the flood has ebbed
    return {static_cast<double>(count) / last, last, seen};
}

std::uint64_t received_by_peer(const Descriptor& socket) {
    std::uint8_t buffer[64];
    for (int attempt = 0; attempt < 5; ++attempt) {
        send_all(socket, "count");
        const ssize_t length = receive(socket, buffer);
        if (length > 0) return std::strtoull(std::string(buffer, buffer + length).c_str(), nullptr, 10);
    }
    throw std::runtime_error("the peer does not say how many datagrams it got");
}

Measured udp_send(const Net& net, std::uint64_t seconds) {
    const Descriptor socket = datagrams_to(net);
    const std::uint64_t at_peer = received_by_peer(socket);
    const std::uint64_t before = packets(net);
    const std::string payload(datagram, '.');
    const Stopwatch watch;
    while (watch.seconds() < static_cast<double>(seconds))
        for (int i = 0; i < 32; ++i) (void)!::send(socket.get(), payload.data(), payload.size(), 0);
    const double took = watch.seconds();
    const std::uint64_t arrived = received_by_peer(socket) - at_peer;
    return {static_cast<double>(arrived) / took, took, packets(net) - before};
}

Measured udp_round_trip(const Net& net, std::uint64_t times) {
    const Descriptor socket = datagrams_to(net);
    const std::string payload = "echo" + std::string(datagram - 4, '.');
    const std::uint64_t before = packets(net);
    std::uint8_t buffer[2048];
    std::uint64_t lost = 0;
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < times; ++i) {
        send_all(socket, payload);
        if (receive(socket, buffer) < 0 && ++lost > 3) throw std::runtime_error("the peer does not echo");
    }
    const double seconds = watch.seconds() - static_cast<double>(lost) * static_cast<double>(silence.tv_sec);
    return {1e6 * seconds / static_cast<double>(times - lost), seconds, packets(net) - before};
}

} // namespace

Measurements net_measurements(const std::string& interface, const std::string& peer, std::uint16_t port) {
    const Net net{interface, peer, port};
    const auto on_net = [&net](Measured (*measure)(const Net&, std::uint64_t)) {
        return [net, measure](std::uint64_t amount) { return measure(net, amount); };
    };
    return {{"idle", measure_idle},
            {"settle", measure_idle},
            {"tcp_receive", on_net(tcp_receive)},
            {"tcp_send", on_net(tcp_send)},
            {"udp_receive", on_net(udp_receive)},
            {"udp_send", on_net(udp_send)},
            {"udp_round_trip", on_net(udp_round_trip)}};
}

} // namespace casemate::probe
