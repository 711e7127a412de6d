// SPDX-License-Identifier: Apache-2.0
// See other_tpm.hpp.
#include "tests/platform/attacks/other_tpm.hpp"

#include "dlaunch/model/tpm_identity.hpp"

#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace casemate::platform_test {

namespace {

constexpr model::Millis tool_limit{30000};

/// A TCP port of the loopback that is free now; swtpm's control channel takes the next one.
std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    // SAFETY: the sockets API takes every address family as sockaddr.
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) address.sin_port = 0;
    ::close(fd);
    return ntohs(address.sin_port);
}

std::vector<std::uint8_t> contents(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

OtherTpm::OtherTpm() {
    const auto state = scratch_.path() / "tpm";
    const std::string port = std::to_string(free_port()), control = std::to_string(std::stoul(port) + 1);
    tcti_ = "swtpm:host=127.0.0.1,port=" + port;
    auto reactor = model::Reactor::create();
    if (!model::ensure_tpm(state, "sha256,sha384").ok() || !reactor.ok()) return;
    reactor_ = std::move(reactor).value();
    auto started = model::Child::start(
        *reactor_,
        {"swtpm", {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state.string(), "--server",
                   "type=tcp,bindaddr=127.0.0.1,port=" + port, "--ctrl", "type=tcp,bindaddr=127.0.0.1,port=" + control,
                   "--flags", "startup-clear,not-need-init"}},
        {});
    if (!started.ok()) return;
    swtpm_ = std::move(started).value();
    for (int tries = 0; tries < 50 && !ready_; ++tries) {
        ready_ = tool({"tpm2_createprimary", "-Q", "-C", "e", "-G", "ecc256:ecdsa-sha256:null", "-a",
                       "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign", "-c", scratch_.path() / "ak"});
        if (!ready_) std::this_thread::sleep_for(std::chrono::milliseconds{100}); // it may not listen yet
    }
}

OtherTpm::~OtherTpm() {
    if (swtpm_) swtpm_->stop(model::Millis{2000});
}

bool OtherTpm::tool(std::vector<std::string> command) const {
    return model::run_tool({.name = command.front(), .command = command, .environment = {{"TPM2TOOLS_TCTI", tcti_}}, .inherited = {}},
                           tool_limit)
        .ok();
}

OtherTpm::Quote OtherTpm::quote(const std::string& qualifying_data_hex) const {
    const auto attest = scratch_.path() / "attest", signature = scratch_.path() / "signature";
    const bool good = tool({"tpm2_quote", "-Q", "-c", scratch_.path() / "ak", "-l", "sha256:17,18,19,20,21,22+sha384:17,18,19,20,21,22",
                            "-q", qualifying_data_hex, "-m", attest, "-s", signature});
    return good ? Quote{contents(attest), contents(signature)} : Quote{};
}

} // namespace casemate::platform_test
