// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/private_network.hpp"

#include "dlaunch/model/child.hpp"

#include <arpa/inet.h>
#include <fstream>
#include <sched.h>
#include <sys/socket.h>

namespace casemate::bench {
namespace {

using model::fail_errno;

constexpr const char* tap_name = "casemate0";
constexpr const char* host_address = "10.0.2.2";
constexpr std::uint16_t port = 7001;

/// As an ordinary user: root in a user namespace of one user.
Status<model::Error> enter_user_namespace() {
    const auto uid = std::to_string(::getuid());
    const auto gid = std::to_string(::getgid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return fail_errno("no network namespace");
    std::ofstream{"/proc/self/setgroups"} << "deny";
    std::ofstream{"/proc/self/uid_map"} << "0 " << uid << " 1";
    std::ofstream{"/proc/self/gid_map"} << "0 " << gid << " 1";
    return Done{};
}

Status<model::Error> ip(std::vector<std::string> words) {
    words.insert(words.begin(), "ip");
    return model::run_tool({.name = "ip", .command = std::move(words)}, model::Millis{5000});
}

Status<model::Error> make_tap() {
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) return fail_errno("/dev/net/tun");
    if (::unshare(CLONE_NEWNET) != 0) TRY(enter_user_namespace());
    TRY(ip({"link", "set", "lo", "up"}));
    TRY(ip({"tuntap", "add", "dev", tap_name, "mode", "tap", "vnet_hdr"}));
    TRY(ip({"address", "add", std::string{host_address} + "/24", "dev", tap_name}));
    return ip({"link", "set", tap_name, "up"});
}

/// One that is free now.
std::uint16_t free_port() {
    const model::UniqueFd probe{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&own), size) != 0) return port;
    return ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0 ? ntohs(own.sin_port) : port;
}

} // namespace

Network make_network() {
    const auto made = make_tap();
    if (made.ok()) return {tap_name, "", host_address, host_address, port};
    (void)ip({"link", "set", "lo", "up"}); // in case the namespace is there and only the tap is not
    return {"", made.error().text, host_address, "127.0.0.1", free_port()};
}

} // namespace casemate::bench
