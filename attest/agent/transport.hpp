// SPDX-License-Identifier: Apache-2.0
// Requests to the verifier through the relay: JSON in frames over a byte stream [relay.md].
// Invariant: one request at a time; every wait ends at a deadline; what comes back is UNTRUSTED, at most one
// frame long and an object.
// Who calls it: protocol.cpp through Transport; StreamTransport runs over the UART, or a socket in tests.
#pragma once

#include "attest/agent/error.hpp"
#include "attest/relay/frame.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

namespace casemate::agent {

using Json = nlohmann::json;

struct Request {
    std::string method{};
    std::string path{};
    std::string token{}; // empty: none
    Json body{};         // null: none
};

struct Response {
    int status = 0; // HTTP; 0: the relay could not reach the verifier
    Json body{};
};

class Transport {
public:
    virtual ~Transport() = default;
    virtual Outcome<Response> exchange(const Request& request) = 0;
    /// Who takes status reports and has sealed secrets on this road: the relay, or the verifier itself.
    [[nodiscard]] virtual std::string report_path(const std::string& platform_id) const = 0;
    [[nodiscard]] virtual std::string secrets_path(const std::string& platform_id) const = 0;
};

/// The request as relay.md has it, and the response to it; nothing for a late, foreign or broken one.
[[nodiscard]] std::string text_of(const Request& request, std::uint64_t id);
[[nodiscard]] std::optional<Response> parse_response(ByteView payload, std::uint64_t id);

class StreamTransport final : public Transport {
public:
    /// `path`: a terminal device, set to raw 115200 8N1, or a UNIX stream socket, connected to.
    static Outcome<StreamTransport> open(const std::string& path, std::chrono::milliseconds patience);
    StreamTransport(StreamTransport&& other) noexcept;
    StreamTransport& operator=(StreamTransport&&) = delete;
    ~StreamTransport() override;

    Outcome<Response> exchange(const Request& request) override;
    [[nodiscard]] std::string report_path(const std::string& platform_id) const override;
    [[nodiscard]] std::string secrets_path(const std::string& platform_id) const override;

private:
    using Clock = std::chrono::steady_clock;
    StreamTransport(int fd, std::chrono::milliseconds patience);
    Outcome<Done> send(const std::string& text, Clock::time_point deadline);
    Outcome<Response> receive(std::uint64_t id, Clock::time_point deadline);
    Outcome<Done> wait_for(short events, Clock::time_point deadline) const;

    int fd_;
    std::chrono::milliseconds patience_;
    std::uint64_t last_id_ = 0;
    Bytes buffer_;
    relay::FrameReceiver receiver_;
};

} // namespace casemate::agent
