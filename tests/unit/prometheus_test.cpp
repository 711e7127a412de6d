// SPDX-License-Identifier: Apache-2.0
// A session's status as Prometheus' text format: every line is one that the format allows, whatever a guest calls itself.
#include "dlaunch/session/prometheus.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <set>
#include <sstream>

using namespace casemate::session;
using nlohmann::json;

namespace {

json status() {
    return json::parse(R"({"report_age_ms":1500,"uptime_ms":60000,"agent":{"verdict":"affirming"},
 "vms":[{"name":"net0","state":"running","starts":2,"memory_mib":128,"cpu_us":1500000,"exits":{"msr":1162,"port":7}}],
 "devices":[{"location":"00:03.0","state":"assigned","holder":"net0","lease_ms_left":44500}],
 "link_ends":[{"vm":"net0","peer":"client0","state":"up","counts":{"packets":12,"bytes":3456,"notifications":5,"interrupts":6},
               "drops":{"receiver_down":7,"no_room":0}}]})");
}

/// Every line a comment or a sample, no sample twice, each after the TYPE of its metric.
void check_format(const std::string& text) {
    const std::regex sample{
        R"re(([a-z_]+)(\{[a-z]+="([^"\\]|\\["\\])*"(,[a-z]+="([^"\\]|\\["\\])*")*\})? [-+.e0-9]+)re"};
    const std::regex comment{"# (HELP|TYPE) ([a-z_]+) [ -~]+"};
    std::set<std::string> seen;
    std::string declared, line;
    for (std::istringstream lines{text}; std::getline(lines, line);) {
        std::smatch match;
        CAPTURE(line);
        if (std::regex_match(line, match, comment)) {
            declared = match[2];
            continue;
        }
        REQUIRE(std::regex_match(line, match, sample));
        CHECK(match[1] == declared);
        CHECK(seen.insert(match[1].str() + match[2].str()).second);
    }
}

bool has(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("a status becomes metrics with documented names", "[prometheus]") {
    const std::string text = prometheus_text(status());
    check_format(text);
    for (const char* line :
         {"# TYPE casemate_vm_exits_total counter", R"(casemate_vm_exits_total{vm="net0",type="msr"} 1162)",
          R"(casemate_vm_starts_total{vm="net0"} 2)", R"(casemate_vm_state{vm="net0",state="running"} 1)",
          R"(casemate_vm_state{vm="net0",state="stopped"} 0)",
          R"(casemate_vm_memory_bytes{vm="net0"} 134217728.0)",
          R"(casemate_vm_cpu_seconds_total{vm="net0"} 1.5)",
          R"(casemate_device_lease_seconds{device="00:03.0"} 44.5)",
          R"(casemate_device_state{device="00:03.0",state="assigned"} 1)",
          R"(casemate_device_holder{device="00:03.0",vm="net0"} 1)", "casemate_uptime_seconds 60.0",
          R"(casemate_link_state{vm="net0",peer="client0",state="up"} 1)",
          R"(casemate_link_state{vm="net0",peer="client0",state="refused"} 0)",
          R"(casemate_link_sent_packets_total{vm="net0",peer="client0"} 12)",
          "# TYPE casemate_link_sent_bytes_total counter",
          R"(casemate_link_sent_bytes_total{vm="net0",peer="client0"} 3456)",
          R"(casemate_link_dropped_packets_total{vm="net0",peer="client0",reason="receiver_down"} 7)",
          R"(casemate_link_notifications_total{vm="net0",peer="client0"} 5)",
          R"(casemate_link_interrupts_total{vm="net0",peer="client0"} 6)",
          "casemate_report_age_seconds 1.5", "casemate_verdict_affirming 1"})
        CHECK((has(text, line) ? "" : line) == std::string{});
}

TEST_CASE("what is not known makes no metric, and nothing makes none", "[prometheus]") {
    CHECK(prometheus_text(nullptr).empty());
    json unknown = status();
    unknown["devices"][0]["lease_ms_left"] = nullptr;
    unknown["devices"][0]["holder"] = nullptr;
    const std::string text = prometheus_text(unknown);
    CHECK(text.find("lease_seconds") == std::string::npos);
    CHECK(text.find("device_holder") == std::string::npos);
}

TEST_CASE("no name forges a metric", "[prometheus]") {
    for (const char* name :
         {"a\"} 7\ncasemate_verdict_affirming 1\n#", "\\", "\"", "a\\\"", "\xff\x1b[2J", "", "{}"}) {
        json hostile = status();
        hostile["vms"].push_back(
            {{"name", name}, {"state", "running"}, {"starts", 1U}, {"exits", {{name, 7U}}}});
        hostile["vms"].push_back(hostile["vms"][0]); // twice the same name
        hostile["link_ends"].push_back(hostile["link_ends"][0]);
        hostile["link_ends"][0]["peer"] = name;
        hostile["link_ends"][0]["drops"][name] = 7U;
        hostile["devices"][0]["location"] = name;
        hostile["devices"][0]["holder"] = name;
        hostile["agent"]["verdict"] = name;
        const std::string text = prometheus_text(hostile);
        check_format(text);
        CHECK_FALSE(has(text, "casemate_verdict_affirming 1"));
    }
}
