// SPDX-License-Identifier: Apache-2.0
// The TPM proxy before a real swtpm; the test plays QEMU.
#include "dlaunch/model/child.hpp"
#include "dlaunch/model/fd_passing.hpp"
#include "dlaunch/model/state_dir.hpp"
#include "dlaunch/model/tpm_proxy.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::model;

namespace {

using Bytes = std::vector<std::uint8_t>;

class Bench {
public:
    Bench() {
        Channel control = make_socket_channel().value();
        const std::string number = std::to_string(control.theirs.get());
        ChildSpec spec{"swtpm",
                       {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state_.path().string(), "--ctrl",
                        "type=unixio,clientfd=" + number},
                       {},
                       {control.theirs.get()}};
        swtpm_ = Child::start(*reactor_, spec, [] {}).value();
        TpmProxy::Events events{[this](std::string line) { log.push_back(line); },
                                [this](std::string line) { failures.push_back(line); }};
        Channel qemu = make_socket_channel().value();
        qemu_ = std::move(qemu.theirs);
        proxy_ = TpmProxy::create(*reactor_, std::move(qemu.ours), std::move(control.ours), events).value();
    }

    Bytes control(const Bytes& request, int data_fd = -1) {
        if (data_fd >= 0) (void)send_fd(qemu_.get(), request, data_fd).ok();
        else (void)write_all(qemu_.get(), request, Millis{1000}).ok();
        return answer(qemu_.get());
    }
    Bytes answer(int fd) {
        Bytes response;
        for (int tries = 0; tries < 50 && !wait_readable(fd, Millis{0}) && failures.empty(); ++tries)
            reactor_->step(Millis{100});
        if (wait_readable(fd, Millis{0})) read_available(fd, response);
        return response;
    }

    std::vector<std::string> log, failures;

private:
    StateDir state_ = StateDir::create().value();
    std::unique_ptr<Reactor> reactor_ = Reactor::create().value();
    UniqueFd qemu_;
    std::unique_ptr<Child> swtpm_;

public:
    std::unique_ptr<TpmProxy> proxy_;
};

const Bytes init{0, 0, 0, 2, 0, 0, 0, 0};
const Bytes good{0, 0, 0, 0};
const Bytes refused{0, 0, 0, 0x0a};

} // namespace

TEST_CASE("hash commands, state blobs and unknown commands from QEMU's side never reach the TPM") {
    Bench bench;
    CHECK(bench.control(init) == good);
    CHECK(bench.control({0, 0, 0, 6}) == refused);
    CHECK(bench.control({0, 0, 0, 7, 0, 0, 0, 2, 0xaa, 0xbb}) == refused);
    CHECK(bench.control({0, 0, 0, 8}) == refused);
    CHECK(bench.control({0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}) == refused);
    CHECK(bench.control({0, 0, 0, 13, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}) == refused);
    CHECK(bench.control({0, 0, 1, 0}) == refused);
    CHECK(bench.log.size() == 6);
    CHECK(bench.failures.empty());
    CHECK(bench.control({0, 0, 0, 5, 0, 0, 0, 0}) == good); // and the channel is still in step
}

TEST_CASE("data commands pass whole, and the model's own hash sequence works between them") {
    Bench bench;
    Channel data = make_socket_channel().value();
    REQUIRE(bench.control(init) == good);
    REQUIRE(bench.control({0, 0, 0, 16}, data.theirs.get()) == good);
    CHECK(bench.control({0, 0, 0, 16}) == refused); // one data channel only
    const Bytes startup{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0};
    const Bytes success{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0};
    REQUIRE(write_all(data.ours.get(), ByteView{startup}.first(5), Millis{1000}).ok());
    REQUIRE(write_all(data.ours.get(), ByteView{startup}.subspan(5), Millis{1000}).ok());
    CHECK(bench.answer(data.ours.get()) == success);
    const Bytes loader(9000, 0x5a); // three HASH_DATA commands
    REQUIRE(bench.proxy_->measure(loader).ok());
    const Bytes self_test{0x80, 1, 0, 0, 0, 11, 0, 0, 1, 0x43, 1};
    REQUIRE(write_all(data.ours.get(), self_test, Millis{1000}).ok());
    REQUIRE(bench.proxy_->measure(loader).ok()); // with a command perhaps in flight
    CHECK(bench.answer(data.ours.get()) == success);
}

TEST_CASE("the guest's commands are counted by locality and code") {
    Bench bench;
    Channel data = make_socket_channel().value();
    REQUIRE(bench.control(init) == good);
    REQUIRE(bench.control({0, 0, 0, 16}, data.theirs.get()) == good);
    const auto send = [&](const Bytes& command) {
        REQUIRE(write_all(data.ours.get(), command, Millis{1000}).ok());
        return bench.answer(data.ours.get()).size();
    };
    const Bytes self_test{0x80, 1, 0, 0, 0, 11, 0, 0, 1, 0x43, 1};
    REQUIRE(send({0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0}) == 10);
    REQUIRE(send(self_test) == 10);
    REQUIRE(bench.control({0, 0, 0, 5, 2, 0, 0, 0}) == good);
    REQUIRE(send(self_test) == 10);
    REQUIRE(send(self_test) == 10);
    REQUIRE(bench.proxy_->transact(self_test).ok()); // the host's own
    CHECK(bench.proxy_->command_counts() == TpmCommandCounts{{0, {{0x143, 1}, {0x144, 1}}}, {2, {{0x143, 2}}}});
}

TEST_CASE("a TPM command of impossible size ends the proxy instead of waiting for it") {
    Bench bench;
    Channel data = make_socket_channel().value();
    REQUIRE(bench.control({0, 0, 0, 16}, data.theirs.get()) == good);
    const Bytes huge{0x80, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0x44};
    REQUIRE(write_all(data.ours.get(), huge, Millis{1000}).ok());
    CHECK(bench.answer(data.ours.get()).empty());
    CHECK(bench.failures.size() == 1);
}
