// SPDX-License-Identifier: Apache-2.0
// The agent's status report in words: rates, devices by name, and nothing invented from what is not there.
#include "dlaunch/session/live_report.hpp"

#include <catch2/catch.hpp>

using namespace casemate::session;
using nlohmann::json;

namespace {

json link_end(const char* vm, const char* peer, bool running, unsigned error, std::uint64_t bytes) {
    return {{"vm", vm}, {"peer", peer}, {"running", running}, {"error", error}, {"counts", {{"packets", 1}, {"bytes", bytes}}},
            {"drops", {0, 3, 0, 0, 0, 8}}};
}

/// As it is parsed from the line: numbers are unsigned.
json report_at(std::uint64_t uptime_ms, std::uint64_t msr) {
    const json report = {{"uptime_ms", uptime_ms},
            {"vms", {{{"name", "net0"}, {"vm_id", "aa"}, {"state", 1}, {"memory_mib", 128}, {"starts", 1}, {"stop_cause", 0},
                      {"cpu_us", 1000 * msr}, {"exits", {{"msr", msr}}}}}},
            {"devices", {{{"device", {0, 0, 3, 0}}, {"vendor", 0x8086}, {"device_id", 0x10d3}, {"class", 0x20000}, {"state", 2},
                          {"holder", "aa"}, {"grant_id", "01"}, {"lease_ms_left", 5000}, {"reset_kind", 1}, {"tainted_by", ""}}}},
            {"link_ends", {link_end("net0", "client0", true, 0, msr), link_end("client0", "net0", false, 9, 0), link_end("net0", "client1", true, 0, 2 * msr)}}};
    return json::parse(report.dump());
}

json rate(const LiveReport& report) { return report.view()["vms"][0]["exits_per_second"]; }

} // namespace

TEST_CASE("a report names states, places and holders", "[live]") {
    LiveReport report;
    CHECK(report.empty());
    report.take(report_at(1000, 7));
    const json view = report.view();
    CHECK(view["uptime_ms"] == 1000);
    const json& vm = view["vms"][0];
    CHECK((vm["name"] == "net0" && vm["state"] == "running" && vm["starts"] == 1 && vm["exits"]["msr"] == 7));
    CHECK(vm["devices"] == json{"00:03.0"});
    CHECK(vm["exits_per_second"].is_null());
    const json& device = view["devices"][0];
    CHECK((device["location"] == "00:03.0" && device["id"] == "8086:10d3" && device["state"] == "assigned"));
    CHECK((device["holder"] == "net0" && device["lease_ms_left"] == 5000 && device["reset_kind"] == "flr"));
}

TEST_CASE("a report says how much of its core a VM had, once that is known", "[live]") {
    const auto share = [](const LiveReport& report) { return report.view()["vms"][0]["cpu_share"]; };
    LiveReport report;
    report.take(report_at(1000, 100));
    CHECK(report.view()["vms"][0]["cpu_us"] == 100000);
    CHECK(share(report).is_null());
    report.take(report_at(3000, 600));
    CHECK(share(report) == 0.25);
    report.take(report_at(3950, 3000)); // more than there was: the counter runs ahead of the clock by a turn
    CHECK(share(report) == 1.0);
    LiveReport other;
    other.take(report_at(1000, 600));
    other.take(report_at(3000, 100));
    CHECK(share(other).is_null());
}

TEST_CASE("a report says what each end of a link sent, how fast, and what was dropped", "[live]") {
    LiveReport report;
    report.take(report_at(1000, 100));
    CHECK(report.view()["link_ends"][0]["counts_per_second"].is_null());
    report.take(report_at(3000, 700));
    const json ends = report.view()["link_ends"];
    REQUIRE(ends.size() == 3);
    CHECK((ends[0]["vm"] == "net0" && ends[0]["peer"] == "client0" && ends[0]["state"] == "up" && ends[0]["refusal"] == "none"));
    CHECK((ends[0]["counts"]["bytes"] == 700 && ends[0]["counts_per_second"]["bytes"] == 300.0));
    CHECK(ends[0]["drops"] == json::parse(R"({"receiver_down": 0, "frame_size": 3, "checksum": 0, "segmentation": 0, "no_room": 0})"));
    CHECK((ends[2]["peer"] == "client1" && ends[2]["counts_per_second"]["bytes"] == 600.0));
    CHECK((ends[1]["state"] == "refused" && ends[1]["refusal"] == "buffer_outside"));
    json down = report_at(1000, 0);
    down["link_ends"][1]["error"] = 0U;
    CHECK(link_end_list(down)[1]["state"] == "down");
    down["link_ends"][1]["error"] = 99U;
    CHECK(link_end_list(down)[1]["refusal"] == "unknown");
    down["link_ends"][1].erase("running");
    CHECK(link_end_list(down)[1]["state"] == "unknown");
}

TEST_CASE("a rate needs two reports of one launch that are far enough apart", "[live]") {
    LiveReport report;
    report.take(report_at(1000, 100));
    report.take(report_at(1500, 150));
    CHECK(rate(report).is_null());
    report.take(report_at(3000, 300));
    CHECK(rate(report)["msr"] == 100.0); // since 1500
    report.take(report_at(5000, 800));
    CHECK(rate(report)["msr"] == 250.0); // since 3000
    report.take(report_at(7000, 3));
    CHECK(rate(report).is_null()); // the counter went back
    report.take(report_at(100, 3));
    CHECK(rate(report).is_null()); // another launch
}

TEST_CASE("reports at a stretch give rates too, and are not kept without end", "[live]") {
    LiveReport report;
    for (std::uint64_t i = 0; i < 100; ++i) report.take(report_at(1000 + i * 100, i * 10));
    CHECK(rate(report)["msr"] == 100.0);
    for (std::uint64_t i = 0; i < 200; ++i) report.take(report_at(20'000, 5000));
    CHECK(rate(report).is_null()); // no time has passed
}

TEST_CASE("a hostile report becomes nulls and throws nothing", "[live]") {
    const json junk[] = {nullptr, 7, "x", json::array(), json::object(), -1, 1e300, json::array({nullptr, 1, "x"}), json{{"name", 7}},
                         ~std::uint64_t{0}};
    json whole = report_at(1000, 7);
    for (const json& value : junk) {
        LiveReport report;
        report.take(value);
        CHECK(report.view()["vms"].is_array());
        for (const char* key : {"uptime_ms", "vms", "devices", "link_ends", "agent"}) {
            json changed = whole;
            changed[key] = value;
            report.take(changed);
            CHECK(report.view()["devices"].is_array());
        }
        for (const char* list : {"vms", "devices", "link_ends"}) {
            for (const auto& [key, old] : whole[list][0].items()) {
                json changed = whole;
                changed[list][0][key] = value;
                report.take(changed);
                CHECK(report.view()[list].size() == whole[list].size());
            }
        }
    }
}
