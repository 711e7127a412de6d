// SPDX-License-Identifier: Apache-2.0
// Implements transport.hpp.
#include "attest/agent/transport.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace casemate::agent {
namespace {

Failure<Error> system_error(const std::string& what) { return fail(what + ": " + std::strerror(errno)); }

Outcome<int> connect_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return fail("socket path too long: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return system_error("socket");
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    const auto error = system_error("connect to " + path);
    ::close(fd);
    return error;
}

Outcome<int> open_terminal(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return system_error("open " + path);
    termios settings{};
    if (::tcgetattr(fd, &settings) == 0) {
        ::cfmakeraw(&settings);
        settings.c_cflag |= CLOCAL | CREAD;
        ::cfsetspeed(&settings, B115200);
        ::tcsetattr(fd, TCSANOW, &settings);
        ::tcflush(fd, TCIOFLUSH);
    }
    return fd;
}

} // namespace

std::optional<Response> parse_response(ByteView payload, std::uint64_t id) {
    Json message = Json::parse(payload.begin(), payload.end(), nullptr, false);
    if (!message.is_object()) return std::nullopt;
    const auto found = message.find("id");
    if (found == message.end() || !found->is_number_unsigned() || *found != id) return std::nullopt;
    Response response;
    if (const auto status = message.find("status"); status != message.end() && status->is_number_integer())
        response.status = status->get<int>();
    if (const auto body = message.find("body"); body != message.end()) response.body = std::move(*body);
    return response;
}

std::string text_of(const Request& request, std::uint64_t id) {
    Json message{{"id", id}, {"method", request.method}, {"path", request.path}};
    if (!request.token.empty()) message["token"] = request.token;
    if (!request.body.is_null()) message["body"] = request.body;
    return message.dump();
}

Outcome<StreamTransport> StreamTransport::open(const std::string& path, std::chrono::milliseconds patience) {
    struct stat what {};
    if (::stat(path.c_str(), &what) != 0) return system_error(path);
    const int fd = S_ISSOCK(what.st_mode) ? TRY(connect_socket(path)) : TRY(open_terminal(path));
    return StreamTransport{fd, patience};
}

StreamTransport::StreamTransport(int fd, std::chrono::milliseconds patience)
    : fd_{fd}, patience_{patience},
      // No id of an agent that ran before this one: its answer may still be on the line.
      last_id_{static_cast<std::uint64_t>(Clock::now().time_since_epoch() / std::chrono::milliseconds{1})},
      buffer_(relay::max_frame_size(relay::max_payload)), receiver_{buffer_} {}

StreamTransport::StreamTransport(StreamTransport&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, patience_{other.patience_}, last_id_{other.last_id_},
      buffer_{std::move(other.buffer_)}, receiver_{buffer_} {}

StreamTransport::~StreamTransport() {
    if (fd_ >= 0) ::close(fd_);
}

Outcome<Done> StreamTransport::wait_for(short events, Clock::time_point deadline) const {
    using std::chrono::milliseconds;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    pollfd one{fd_, events, 0};
    if (left.count() <= 0 || ::poll(&one, 1, static_cast<int>(left.count())) == 0)
        return fail("the relay did not answer in time");
    return Done{};
}

Outcome<Done> StreamTransport::send(const std::string& text, Clock::time_point deadline) {
    Bytes frame(1 + relay::max_frame_size(text.size())); // a leading zero ends whatever noise came before
    const auto size =
        relay::encode_frame({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, ByteSpan{frame}.subspan(1));
    if (!size.ok()) return fail("the request is too long for a frame");
    for (ByteView rest = ByteView{frame}.first(1 + size.value()); !rest.empty();) {
        const ssize_t count = ::write(fd_, rest.data(), rest.size());
        if (count > 0) rest = rest.subspan(static_cast<std::size_t>(count));
        else if (errno == EAGAIN) TRY(wait_for(POLLOUT, deadline));
        else if (errno != EINTR) return system_error("write to the relay");
    }
    return Done{};
}

Outcome<Response> StreamTransport::receive(std::uint64_t id, Clock::time_point deadline) {
    for (;;) {
        TRY(wait_for(POLLIN, deadline));
        std::uint8_t part[4096];
        const ssize_t count = ::read(fd_, part, sizeof part);
        if (count == 0) return fail("the relay closed the line");
        if (count < 0 && errno != EAGAIN && errno != EINTR) return system_error("read from the relay");
        for (ssize_t i = 0; i < count; ++i) {
            const auto frame = receiver_.push(part[i]);
            if (!frame || !frame->ok()) continue; // a damaged frame is as good as none: we time out and retry
            if (auto response = parse_response(frame->value(), id)) return std::move(*response);
        }
    }
}

/// The relay has one platform.
std::string StreamTransport::report_path(const std::string&) const { return "/relay/report"; }
std::string StreamTransport::secrets_path(const std::string&) const { return "/relay/secrets"; }

Outcome<Response> StreamTransport::exchange(const Request& request) {
    const auto deadline = Clock::now() + patience_;
    const std::uint64_t id = ++last_id_;
    TRY(send(text_of(request, id), deadline));
    return receive(id, deadline);
}

} // namespace casemate::agent
