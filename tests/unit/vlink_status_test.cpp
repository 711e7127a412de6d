// SPDX-License-Identifier: Apache-2.0
// A link's part of the machine's status: its bytes, that the agent reads what the hypervisor writes, and that the operator sees it.
#include "attest/agent/control_messages.hpp"
#include "attest/agent/report.hpp"
#include "dlaunch/session/live_report.hpp"
#include "dlaunch/session/operator_view.hpp"
#include "dlaunch/session/prometheus.hpp"
#include "hypervisor/vlink/status.hpp"
#include "tests/unit/hex.hpp"
#include "tests/unit/vlink_model.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::vlink;
using namespace casemate::vlink::test;
using casemate::test::to_hex;

namespace {

constexpr NetHeader plain{};

Bytes encoded(Pair& pair) {
    Bytes buffer(512);
    CborWriter out{buffer};
    write_link(out, *pair.link, {"net0", "client0"});
    REQUIRE(out.ok());
    buffer.resize(out.size());
    return buffer;
}

/// A status with these links; -1 is one without the key.
Bytes status_with(int count, const Bytes& link) {
    Bytes buffer(4096);
    CborWriter out{buffer};
    out.map(count < 0 ? 3 : 4);
    out.key(0).u64(1);
    out.key(1).array(0);
    out.key(2).array(0);
    if (count >= 0) out.key(3).array(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) out.item(link);
    REQUIRE(out.ok());
    buffer.resize(out.size());
    return buffer;
}

/// 2 packets of 60 and 200 bytes one way, one back, one that is too short; then the right end breaks a rule.
void exchange(Pair& pair) {
    pair.start();
    pair.left.offer_buffers(4, 1536);
    pair.right.offer_buffers(4, 1536);
    pair.left.send(plain, pattern(60));
    pair.left.send(plain, pattern(200));
    pair.left.send(plain, pattern(13));
    pair.right.send(plain, pattern(100));
    pair.right.describe(pair.right.ring(1).at, 7, {Guest::ram_size, 64, 0, 0});
    pair.right.offer(VirtioNet::transmit, 7);
    pair.right.notify(VirtioNet::transmit);
}

} // namespace

TEST_CASE("a link without drivers is two ends that are down and have sent nothing", "[vlink][status]") {
    Pair pair;
    CHECK(to_hex(encoded(pair)) == "82"
                                   "a800646e657430" "0100" "0200" "0300" "0400" "0500" "0600" "07850000000000"
                                   "a80067636c69656e7430" "0100" "0200" "0300" "0400" "0500" "0600" "07850000000000");
}

TEST_CASE("a link's status says what each end sent, what was dropped and why its driver was refused", "[vlink][status]") {
    Pair pair;
    exchange(pair);
    CHECK(to_hex(encoded(pair)) == "82"
                                   "a800646e657430" "0101" "0200" "0302" "04190104" "0503" "0602" "07850001000000"
                                   "a80067636c69656e7430" "0100" "0209" "0301" "041864" "0502" "0602" "07850000000000");
}

TEST_CASE("the agent reads a link's status as it was written", "[agent][status]") {
    Pair pair;
    exchange(pair);
    const auto status = agent::parse_status(status_with(2, encoded(pair)));
    REQUIRE(status.ok());
    REQUIRE(status.value().links.size() == 2);
    const auto& [first, second] = status.value().links[1];
    CHECK((first.vm == "net0" && first.running && first.error == 0 && first.packets == 2 && first.bytes == 260));
    CHECK(first.drops == std::vector<std::uint64_t>{0, 1, 0, 0, 0});
    CHECK((second.vm == "client0" && !second.running && second.error == 9 && second.packets == 1 && second.bytes == 100));
    const Link::Counters own = pair.link->status(1).counters;
    CHECK((second.notifications == own.notifications && second.interrupts == own.interrupts));
}

TEST_CASE("what the hypervisor counted is what the operator sees", "[agent][status]") {
    Pair pair;
    exchange(pair);
    const auto status = agent::parse_status(status_with(1, encoded(pair)));
    REQUIRE(status.ok());
    session::LiveReport report;
    report.take(agent::Json::parse(agent::report_of({}, status.value()).dump()));
    const std::string metrics = session::prometheus_text(report.view());
    for (const char* sample : {R"(casemate_link_sent_bytes_total{vm="net0",peer="client0"} 260)",
                               R"(casemate_link_sent_packets_total{vm="client0",peer="net0"} 1)",
                               R"(casemate_link_dropped_packets_total{vm="net0",peer="client0",reason="frame_size"} 1)",
                               R"(casemate_link_notifications_total{vm="net0",peer="client0"} 3)",
                               R"(casemate_link_state{vm="client0",peer="net0",state="refused"} 1)"})
        CHECK((metrics.find(std::string{sample} + "\n") == std::string::npos ? sample : "") == std::string{});
    CHECK(session::top_view(report.view()).find("refused (buffer_outside)") != std::string::npos);
}

TEST_CASE("a status without links has no list of them", "[agent][status]") {
    for (const int count : {-1, 0}) {
        const auto status = agent::parse_status(status_with(count, {}));
        REQUIRE(status.ok());
        CHECK(status.value().links.empty());
    }
}

TEST_CASE("no link is read from a shorter, longer or spoiled status", "[agent][status]") {
    Pair pair;
    exchange(pair);
    const Bytes good = status_with(1, encoded(pair));
    for (std::size_t size = 0; size < good.size(); ++size)
        REQUIRE_FALSE(agent::parse_status(ByteView{good}.first(size)).ok());
    Bytes longer = good;
    longer.push_back(0);
    CHECK_FALSE(agent::parse_status(longer).ok());
    REQUIRE((good[9] == 0x82 && good[18] == 1));
    Bytes one_end = status_with(1, encoded(pair));
    one_end[9] = 0x81; // the head of the link: one end only
    CHECK_FALSE(agent::parse_status(one_end).ok());
    Bytes half_running = status_with(1, encoded(pair));
    half_running[18] = 2; // neither running nor not
    CHECK_FALSE(agent::parse_status(half_running).ok());
}
