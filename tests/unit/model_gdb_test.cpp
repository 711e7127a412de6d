// SPDX-License-Identifier: Apache-2.0
// The debugger protocol's packets, and GdbClient against a scripted stub.
#include "dlaunch/model/gdb_client.hpp"

#include <catch2/catch.hpp>
#include <thread>

using namespace casemate;
using namespace casemate::model;

namespace {

/// Answers each request in turn with the next text of its script, raw.
class ScriptedStub {
public:
    ScriptedStub(UniqueFd end, std::vector<std::string> script)
        : end_{std::move(end)}, thread_{[this, answers = std::move(script)] { serve(answers); }} {}
    ~ScriptedStub() { thread_.join(); }

    std::vector<std::string> requests;

private:
    void serve(const std::vector<std::string>& answers) {
        PacketDecoder decoder;
        for (const auto& answer : answers) {
            std::optional<std::string> request;
            while (!(request = decoder.next())) {
                std::vector<std::uint8_t> bytes;
                if (!wait_readable(end_.get(), Millis{2000})) return;
                if (read_available(end_.get(), bytes) == ReadOutcome::end) return;
                decoder.append(bytes);
            }
            requests.push_back(*request);
            (void)write_all(end_.get(), as_bytes(answer), Millis{1000}).ok();
        }
    }

    UniqueFd end_;
    std::thread thread_;
};

} // namespace

TEST_CASE("a packet carries its payload and the sum of its characters") {
    CHECK(encode_packet("") == "$#00");
    CHECK(encode_packet("OK") == "$OK#9a");
    CHECK(encode_packet("m7000,4") == "$m7000,4#94");
}

TEST_CASE("packets come out whole for every split of the stream, acknowledgements and damage between them") {
    const std::string stream = "+" + encode_packet("T05thread:01;") + "++$bad#00" + encode_packet("") + "+" +
                               encode_packet("OK");
    for (std::size_t split = 0; split <= stream.size(); ++split) {
        PacketDecoder decoder;
        std::vector<std::string> packets;
        for (const auto& part : {stream.substr(0, split), stream.substr(split)}) {
            decoder.append(as_bytes(part));
            while (auto packet = decoder.next()) packets.push_back(*packet);
        }
        CHECK(packets == std::vector<std::string>{"T05thread:01;", "", "OK"});
    }
}

TEST_CASE("hexadecimal text is read and written, and nonsense refused") {
    const std::vector<std::uint8_t> bytes{0x00, 0x0f, 0xa5, 0xff};
    CHECK(to_hex(bytes) == "000fa5ff");
    CHECK(from_hex("000Fa5fF") == bytes);
    CHECK(from_hex("") == std::vector<std::uint8_t>{});
    for (const char* nonsense : {"0", "0g", "E1x", " 1"}) CHECK_FALSE(from_hex(nonsense).has_value());
}

TEST_CASE("registers, memory and threads are read; a late stop reply is not taken for an answer") {
    Channel channel = make_socket_channel().value();
    ScriptedStub stub{std::move(channel.theirs),
                      {"+" + encode_packet("T05thread:01;") + encode_packet("3412000000000000"),
                       "+" + encode_packet("11000000"), "+" + encode_packet("0f01de"),
                       "+" + encode_packet("m01,02"), "+" + encode_packet("m03"), "+" + encode_packet("l"),
                       "+" + encode_packet("E22"), "+" + encode_packet("OK")}};
    GdbClient client{std::move(channel.ours)};
    CHECK(client.get(Register::rax).value() == 0x1234);
    CHECK(client.get(Register::cr0).value() == 0x11);
    CHECK(client.read(0x1000, 3).value() == std::vector<std::uint8_t>{0x0f, 0x01, 0xde});
    CHECK(client.threads().value() == std::vector<std::string>{"01", "02", "03"});
    CHECK_FALSE(client.read(0x2000, 4).ok());
    CHECK(client.set(Register::efer, 0x1000).ok());
    CHECK(stub.requests == std::vector<std::string>{"p0", "p1b", "m1000,3", "qfThreadInfo", "qsThreadInfo",
                                                    "qsThreadInfo", "m2000,4", "P20=0010000000000000"});
}

TEST_CASE("a stub that goes away is an error, not a wait") {
    Channel channel = make_socket_channel().value();
    channel.theirs.reset();
    GdbClient client{std::move(channel.ours)};
    CHECK_FALSE(client.get(Register::rip).ok());
}
