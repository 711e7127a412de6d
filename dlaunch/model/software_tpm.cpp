// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/software_tpm.hpp"

#include "dlaunch/model/byte_io.hpp"
#include "dlaunch/model/fd_passing.hpp"

namespace casemate::model {
namespace {

constexpr Millis patience{30'000};

std::vector<std::uint8_t> request_of(Control what, ByteView body) {
    std::vector<std::uint8_t> request(4 + body.size());
    BigEndianWriter out{request};
    out.u32(static_cast<std::uint32_t>(what));
    out.bytes(body);
    return request;
}

Status<Error> read_more(int fd, std::vector<std::uint8_t>& received) {
    if (!wait_readable(fd, patience) || read_available(fd, received) != ReadOutcome::data) return fail("swtpm does not answer");
    return Done{};
}

} // namespace

Outcome<std::unique_ptr<SoftwareTpm>> SoftwareTpm::start(const std::filesystem::path& directory) {
    std::unique_ptr<SoftwareTpm> tpm{new SoftwareTpm{TRY(Reactor::create())}};
    TRY(tpm->open(directory));
    return tpm;
}

Status<Error> SoftwareTpm::open(const std::filesystem::path& directory) {
    Channel control = TRY(make_socket_channel());
    Channel data = TRY(make_socket_channel());
    ChildSpec spec;
    spec.name = "swtpm";
    spec.command = {"swtpm",  "socket", "--tpm2", "--tpmstate", "dir=" + directory.string() + ",mode=0600",
                    "--ctrl", "type=unixio,clientfd=" + std::to_string(control.theirs.get()), "--flags", "startup-clear,not-need-init"};
    spec.inherited = {control.theirs.get()};
    swtpm_ = TRY(Child::start(*reactor_, std::move(spec), [] {}));
    control_ = std::move(control.ours);
    TRY(send_fd(control_.get(), request_of(Control::set_data_fd, {}), data.theirs.get()));
    TRY(expect_success());
    data_ = std::move(data.ours);
    return Done{};
}

Status<Error> SoftwareTpm::expect_success() {
    std::vector<std::uint8_t> answer;
    while (answer.size() < 4) TRY(read_more(control_.get(), answer));
    if (BigEndianReader{answer}.u32() != 0) return fail("swtpm refuses a control command");
    return Done{};
}

Status<Error> SoftwareTpm::control(Control what, ByteView body) {
    TRY(write_all(control_.get(), request_of(what, body), patience));
    return expect_success();
}

Status<Error> SoftwareTpm::launch(ByteView block) {
    std::vector<std::uint8_t> sized(4 + block.size());
    BigEndianWriter out{sized};
    out.u32(static_cast<std::uint32_t>(block.size()));
    out.bytes(block);
    TRY(control(Control::hash_start, {}));
    TRY(control(Control::hash_data, sized));
    return control(Control::hash_end, {});
}

Outcome<std::vector<std::uint8_t>> SoftwareTpm::exchange(ByteView command, std::uint8_t locality) {
    TRY(control(Control::set_locality, {&locality, 1}));
    TRY(write_all(data_.get(), command, patience));
    std::vector<std::uint8_t> response;
    while (next_data_frame(response).state != FrameState::complete) TRY(read_more(data_.get(), response));
    return response;
}

} // namespace casemate::model
