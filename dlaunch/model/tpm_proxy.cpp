// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/tpm_proxy.hpp"

#include "dlaunch/model/fd_passing.hpp"

namespace casemate::model {
namespace {

constexpr Millis control_limit{10'000};
constexpr Millis command_limit{60'000}; // RSA key generation is the slowest TPM command
constexpr std::size_t hash_chunk = 4096;
constexpr std::size_t control_word = 4, command_code_at = 6; // [TPM2-P1 18]

std::vector<std::uint8_t> request_of(Control command, std::size_t body = 0) {
    std::vector<std::uint8_t> request(4 + body);
    BigEndianWriter{request}.u32(static_cast<std::uint32_t>(command));
    return request;
}

std::vector<std::uint8_t> refusal(std::size_t size) {
    std::vector<std::uint8_t> response(size);
    BigEndianWriter{response}.u32(control_refused);
    return response;
}

} // namespace

TpmProxy::TpmProxy(Reactor& reactor, UniqueFd qemu_control, UniqueFd swtpm_control, Events events)
    : reactor_{reactor}, qemu_control_{std::move(qemu_control)}, swtpm_control_{std::move(swtpm_control)},
      events_{std::move(events)} {}

TpmProxy::~TpmProxy() {
    for (const auto* fd : {&qemu_control_, &qemu_data_, &swtpm_data_})
        if (fd->valid()) reactor_.forget(fd->get());
}

Outcome<std::unique_ptr<TpmProxy>> TpmProxy::create(Reactor& reactor, UniqueFd qemu_control, UniqueFd swtpm_control,
                                                    Events events) {
    std::unique_ptr<TpmProxy> proxy{
        new TpmProxy{reactor, std::move(qemu_control), std::move(swtpm_control), std::move(events)}};
    TpmProxy* self = proxy.get();
    TRY(self->open_swtpm_data());
    TRY(reactor.watch(self->qemu_control_.get(), [self] { self->on_qemu_control(); }));
    TRY(reactor.watch(self->swtpm_data_.get(), [self] { self->on_swtpm_data(); }));
    return proxy;
}

Status<Error> TpmProxy::open_swtpm_data() {
    Channel data = TRY(make_socket_channel());
    TRY(send_fd(swtpm_control_.get(), request_of(Control::set_data_fd), data.theirs.get()));
    const auto answer = TRY(control({}, 4));
    if (BigEndianReader{answer}.u32() != 0) return fail("swtpm refused the data channel");
    swtpm_data_ = std::move(data.ours);
    return Done{};
}

void TpmProxy::check(const Status<Error>& status) {
    if (!status) events_.failed("TPM proxy: " + status.error().text);
}

// --- control channel ------------------------------------------------------------------------------------------

void TpmProxy::on_qemu_control() { check(receive_control()); }

Status<Error> TpmProxy::receive_control() {
    if (receive_with_fd(qemu_control_.get(), from_qemu_control_, passed_fd_) == ReadOutcome::end) {
        reactor_.forget(qemu_control_.get()); // QEMU is going: its supervisor reports it
        return Done{};
    }
    while (true) {
        const ControlFrame frame = next_control_frame(from_qemu_control_);
        if (frame.state == FrameState::incomplete) return Done{};
        if (frame.state == FrameState::malformed) return fail("malformed control command from QEMU");
        TRY(handle_control(frame, ByteView{from_qemu_control_}.first(frame.size)));
        from_qemu_control_.erase(from_qemu_control_.begin(),
                                 from_qemu_control_.begin() + static_cast<std::ptrdiff_t>(frame.size));
    }
}

Status<Error> TpmProxy::handle_control(const ControlFrame& frame, ByteView bytes) {
    if (!frame.rule || frame.rule->verdict == Verdict::refuse) {
        events_.log("refused TPM control command " + std::to_string(BigEndianReader{bytes}.u32()) + " from QEMU");
        return write_all(qemu_control_.get(), refusal(frame.rule ? frame.rule->response : 4), control_limit);
    }
    if (frame.rule->verdict == Verdict::take_data_fd) return take_data_fd();
    if (frame.rule->command == Control::shutdown) shut_down_ = true;
    if (frame.rule->command == Control::set_locality) locality_ = bytes[control_word];
    const auto response = TRY(control(bytes, frame.rule->response));
    return write_all(qemu_control_.get(), response, control_limit);
}

Status<Error> TpmProxy::take_data_fd() {
    if (!passed_fd_.valid() || qemu_data_.valid())
        return write_all(qemu_control_.get(), refusal(4), control_limit);
    qemu_data_ = std::move(passed_fd_);
    TRY(reactor_.watch(qemu_data_.get(), [this] { on_qemu_data(); }));
    return write_all(qemu_control_.get(), std::vector<std::uint8_t>(4), control_limit);
}

/// One request to swtpm. A refusal may be shorter than a good response: it is padded, so that QEMU, which waits
/// for the full length, does not wait for ever.
Outcome<std::vector<std::uint8_t>> TpmProxy::control(ByteView request, std::size_t response_size) {
    TRY(write_all(swtpm_control_.get(), request, control_limit));
    std::vector<std::uint8_t> response;
    while (response.size() < response_size) {
        if (!wait_readable(swtpm_control_.get(), control_limit)) return fail("swtpm does not answer");
        if (read_available(swtpm_control_.get(), response) == ReadOutcome::end)
            return fail("swtpm closed its control channel");
        if (response.size() == 4 && BigEndianReader{response}.u32() != 0) response.resize(response_size);
    }
    return response;
}

// --- data channel ---------------------------------------------------------------------------------------------

void TpmProxy::on_qemu_data() {
    if (read_available(qemu_data_.get(), from_qemu_) == ReadOutcome::end) return reactor_.forget(qemu_data_.get());
    check(forward_commands());
}

/// Passes the next whole command when none is in flight.
Status<Error> TpmProxy::forward_commands() {
    if (in_flight_) return Done{};
    const DataFrame frame = next_data_frame(from_qemu_);
    if (frame.state == FrameState::malformed) return fail("malformed TPM command from QEMU");
    if (frame.state == FrameState::incomplete) return Done{};
    in_flight_ = true;
    ++command_counts_[locality_][BigEndianReader{ByteView{from_qemu_}.subspan(command_code_at)}.u32()];
    TRY(write_all(swtpm_data_.get(), ByteView{from_qemu_}.first(frame.size), control_limit));
    from_qemu_.erase(from_qemu_.begin(), from_qemu_.begin() + static_cast<std::ptrdiff_t>(frame.size));
    return Done{};
}

void TpmProxy::on_swtpm_data() {
    if (read_available(swtpm_data_.get(), from_swtpm_) == ReadOutcome::end)
        return reactor_.forget(swtpm_data_.get()); // swtpm is going: its supervisor reports it
    const DataFrame frame = next_data_frame(from_swtpm_);
    if (frame.state == FrameState::malformed) return events_.failed("TPM proxy: malformed response from swtpm");
    if (frame.state == FrameState::incomplete) return;
    in_flight_ = false;
    check(write_all(qemu_data_.get(), from_swtpm_, control_limit));
    from_swtpm_.clear();
    check(forward_commands());
}

/// Afterwards no command is in flight; nothing new starts before the caller returns to the reactor.
Status<Error> TpmProxy::become_idle() {
    const auto deadline = std::chrono::steady_clock::now() + command_limit;
    while (in_flight_) {
        if (std::chrono::steady_clock::now() > deadline) return fail("a TPM command does not end");
        if (wait_readable(swtpm_data_.get(), Millis{100})) on_swtpm_data();
    }
    return Done{};
}

Outcome<std::vector<std::uint8_t>> TpmProxy::transact(ByteView command) {
    TRY(become_idle());
    TRY(write_all(swtpm_data_.get(), command, control_limit));
    std::vector<std::uint8_t> response;
    while (next_data_frame(response).state == FrameState::incomplete) {
        if (!wait_readable(swtpm_data_.get(), command_limit)) return fail("a TPM command does not end");
        if (read_available(swtpm_data_.get(), response) == ReadOutcome::end) return fail("swtpm is gone");
    }
    return response;
}

// --- the model's own hash sequence ------------------------------------------------------------------------------

Status<Error> TpmProxy::hash_command(ByteView request) {
    const auto response = TRY(control(request, 4));
    const std::uint32_t result = BigEndianReader{response}.u32();
    if (result != 0) return fail("swtpm refused a hash command with result " + std::to_string(result));
    return Done{};
}

Status<Error> TpmProxy::measure(ByteView secure_loader) {
    TRY(become_idle());
    TRY(hash_command(request_of(Control::hash_start)));
    while (!secure_loader.empty()) {
        const ByteView chunk = secure_loader.first(std::min(hash_chunk, secure_loader.size()));
        auto request = request_of(Control::hash_data, 4 + chunk.size());
        BigEndianWriter body{ByteSpan{request}.subspan(4)};
        body.u32(static_cast<std::uint32_t>(chunk.size()));
        body.bytes(chunk);
        TRY(hash_command(request));
        secure_loader = secure_loader.subspan(chunk.size());
    }
    return hash_command(request_of(Control::hash_end));
}

} // namespace casemate::model
