// SPDX-License-Identifier: Apache-2.0
// See relay.hpp.
#include "attest/relay/relay.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "attest/relay/exchange.hpp"
#include "attest/relay/frame.hpp"

namespace casemate::relay {
namespace {

using Time = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t max_waiting = 192 * 1024; // bytes of orders or secrets: they fit a frame

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_{fd} {}
    ~Descriptor() { if (fd_ >= 0) ::close(fd_); }
    Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Descriptor& operator=(Descriptor&&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }

private:
    int fd_;
};

bool readable(int fd, milliseconds wait) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, static_cast<int>(wait.count())) > 0;
}

Descriptor connect_once(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.string();
    if (name.size() >= sizeof address.sun_path) return Descriptor{-1};
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    Descriptor line{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    // SAFETY: the sockets API takes every address family as sockaddr.
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (line.open() && ::connect(line.get(), generic, sizeof address) == 0) return line;
    return Descriptor{-1};
}

class Line {
public:
    Line(Descriptor descriptor, const RelayOptions& options, int stop_fd)
        : descriptor_{std::move(descriptor)}, options_{options}, stop_fd_{stop_fd} {}

    RelayEnd serve();

private:
    [[nodiscard]] bool stopped() const { return readable(stop_fd_, milliseconds{0}); }
    bool take(ByteView bytes);
    VerifierAnswer carry(const VerifierCall& call);
    bool respond(const std::string& payload);
    bool write(ByteView bytes);

    Descriptor descriptor_;
    const RelayOptions& options_;
    int stop_fd_;
    std::vector<std::uint8_t> frame_ = std::vector<std::uint8_t>(max_frame_size(max_payload));
    std::vector<std::uint8_t> outgoing_ = std::vector<std::uint8_t>(max_frame_size(max_payload) + 1);
    FrameReceiver receiver_{frame_};
    VerifierClient client_{options_.verifier, options_.authority, options_.call_time, max_payload};
    Exchange exchange_{[this](const VerifierCall& call) { return carry(call); },
                       [this](const std::string& json) { if (options_.report) options_.report(json); }, options_.orders,
                       options_.secrets};
};

RelayEnd Line::serve() {
    std::vector<std::uint8_t> chunk(64 * 1024);
    while (true) {
        pollfd entries[] = {{descriptor_.get(), POLLIN, 0}, {stop_fd_, POLLIN, 0}};
        if (::poll(entries, 2, -1) < 0 && errno != EINTR) return RelayEnd::line_closed;
        if (entries[1].revents != 0) return RelayEnd::stopped;
        if (entries[0].revents == 0) continue;
        const ssize_t count = ::read(descriptor_.get(), chunk.data(), chunk.size());
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (count <= 0) return RelayEnd::line_closed;
        if (!take(ByteView{chunk}.first(static_cast<std::size_t>(count))))
            return stopped() ? RelayEnd::stopped : RelayEnd::line_closed;
    }
}

VerifierAnswer Line::carry(const VerifierCall& call) {
    const Verifier direct = [this](const VerifierCall& each) { return client_.call(each, [this] { return stopped(); }); };
    return options_.carrier ? options_.carrier(call, direct) : direct(call);
}

/// UNTRUSTED bytes. A bad frame is dropped: the agent asks again after its time-out.
bool Line::take(ByteView bytes) {
    for (const std::uint8_t byte : bytes) {
        const auto frame = receiver_.push(byte);
        if (!frame || !frame->ok()) continue;
        const ByteView payload = frame->value();
        // SAFETY: char and std::uint8_t alias.
        const std::string response =
            exchange_.answer({reinterpret_cast<const char*>(payload.data()), payload.size()});
        if (!response.empty() && !respond(response)) return false;
        if (stopped()) return false;
    }
    return true;
}

bool Line::respond(const std::string& payload) {
    // SAFETY: char and std::uint8_t alias.
    const ByteView bytes{reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size()};
    outgoing_[0] = 0; // ends what noise, or a response given up, left on the line
    const auto size = encode_frame(bytes, ByteSpan{outgoing_}.subspan(1));
    return size ? write(ByteView{outgoing_}.first(1 + size.value())) : true;
}

/// False when the line is gone or the relay shall stop. A response that is not taken in time is given up.
bool Line::write(ByteView bytes) {
    const auto deadline = Time::now() + options_.write_time;
    while (!bytes.empty()) {
        const ssize_t count = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(count));
            continue;
        }
        if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (Time::now() >= deadline) return true;
        pollfd entries[] = {{descriptor_.get(), POLLOUT, 0}, {stop_fd_, POLLIN, 0}};
        (void)::poll(entries, 2, 100);
        if (entries[1].revents != 0) return false;
    }
    return true;
}

} // namespace

RelayEnd run_relay(const RelayOptions& options, int stop_fd) {
    const auto deadline = Time::now() + options.connect_time;
    while (true) {
        Descriptor descriptor = connect_once(options.socket);
        if (descriptor.open()) return Line{std::move(descriptor), options, stop_fd}.serve();
        if (Time::now() >= deadline) return RelayEnd::no_line;
        if (readable(stop_fd, milliseconds{50})) return RelayEnd::stopped;
    }
}

std::function<void(const std::string&)> report_to_file(std::filesystem::path file) {
    return [file = std::move(file)](const std::string& json) {
        const std::filesystem::path draft = file.string() + ".new";
        {
            std::ofstream stream{draft, std::ios::trunc};
            stream << json << "\n";
            if (!stream.flush()) return; // the report is for display: the relay goes on without it
        }
        std::error_code ignored;
        std::filesystem::rename(draft, file, ignored);
    };
}

std::function<std::string()> waiting_in_file(std::filesystem::path file) {
    return [file = std::move(file)] {
        std::ifstream stream{file};
        std::string text(max_waiting, '\0');
        stream.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(stream.gcount()));
        return text;
    };
}

} // namespace casemate::relay
