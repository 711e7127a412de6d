// SPDX-License-Identifier: Apache-2.0
// The arithmetic and the parsers of `casemate bench`.
#include "dlaunch/session/policy_variant.hpp"
#include "tests/bench/code_lines.hpp"
#include "tests/bench/elf_size.hpp"
#include "tests/bench/expected.hpp"
#include "tests/bench/restart.hpp"
#include "tests/bench/run_notes.hpp"
#include "tests/bench/secret/code_size.hpp"
#include "tests/bench/statistics.hpp"
#include "tests/bench/workload_policy.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>

using namespace casemate;
using namespace casemate::bench;
using namespace std::chrono_literals;

namespace {

const Clock::time_point start{};

ExitSample sample(std::chrono::seconds seen, double msr, double hlt) {
    return {start + seen, static_cast<double>(seen.count()), {{"msr", msr}, {"hlt", hlt}}};
}

Timed timed(std::chrono::seconds begun, std::chrono::seconds ended) {
    return {.metric = "m", .begun = start + begun, .ended = start + ended, .seconds = static_cast<double>((ended - begun).count())};
}

std::vector<std::uint8_t> elf_with(const std::vector<Elf64_Shdr>& sections) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_shoff = sizeof header;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<Elf64_Half>(sections.size());
    std::vector<std::uint8_t> file(sizeof header + sections.size() * sizeof(Elf64_Shdr));
    std::memcpy(file.data(), &header, sizeof header);
    std::memcpy(file.data() + sizeof header, sections.data(), sections.size() * sizeof(Elf64_Shdr));
    return file;
}

const Workload& workload(const std::string& name) {
    return *std::ranges::find_if(workloads(), [&](const Workload& each) { return name == each.name; });
}

constexpr const char* standard_policy = R"(epoch = 1

[[vm]]
name = "agent"

[[vm]]
name = "net0"
initrd = "net0.img"
command_line = "console=ttyS0 quiet panic=-1"
memory_mib = 128
core = 1
placement = "shared"
restart = "warm"

[[vm]]
name = "disk0"
initrd = "disk0.img"
command_line = "console=ttyS0 quiet panic=-1"
memory_mib = 128
core = 0
placement = "shared"

[[device]]
holders = ["net0"]

[[device]]
holders = ["disk0"]
)";

/// The policy for this workload, with the plan "PLAN" and a tap.
std::string policy_of(const std::string& name) {
    return policy_source(standard_policy, {&workload(name), "PLAN", {"tap", "", "10.0.2.2", "10.0.2.2", 7001}}, 7).value();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

session::Observation restarted(const char* warm) {
    session::Observation seen;
    seen.events = {{{"vm_stopped", {{"vm", "net0"}}}, start + 10s}, {{"vm_started", {{"vm", "net0"}, {"start", "2"}, {"warm", warm}}}, start + 11s}};
    return seen;
}

RunLog second_life() {
    RunLog log;
    log.take("CM_BENCH begin metric=udp_round_trip", start + 12s);
    log.take("CM_BENCH end metric=udp_round_trip value=5000 seconds=0.005 work=4 interrupts=3", start + 13s);
    return log;
}

Elf64_Shdr section(Elf64_Word type, Elf64_Xword flags, Elf64_Xword size) {
    Elf64_Shdr header{};
    header.sh_type = type;
    header.sh_flags = flags;
    header.sh_size = size;
    return header;
}

} // namespace

TEST_CASE("the spread of an odd and of an even number of values has the right median") {
    CHECK(spread_of({3, 1, 2}).median == 2);
    CHECK(spread_of({4, 1, 2, 3}).median == 2.5);
    CHECK(spread_of({3, 1, 2}).least == 1);
    CHECK(spread_of({3, 1, 2}).most == 3);
}

TEST_CASE("ratios are of the runs of one round, and a round without one of the two has none") {
    CHECK(paired_ratios({1, 6}, {2, 3, 9}) == std::vector<double>{0.5, 2});
    CHECK(paired_ratios({std::nullopt, 6}, {2, 3}) == std::vector<double>{2});
}

TEST_CASE("the slope is what each further one adds, and of one point there is none") {
    CHECK(slope({{1, 10}, {2, 13}, {4, 19}}).value() == Approx(3));
    CHECK(slope({{1, 0}, {2, 1}, {3, 0}}).value() == Approx(0).margin(1e-9));
    CHECK_FALSE(slope({{4, 19}}));
    CHECK_FALSE(slope({}));
}

TEST_CASE("a bar is met on its own side") {
    CHECK(find_metric("tcp_receive")->bar->met(0.8));
    CHECK_FALSE(find_metric("tcp_receive")->bar->met(0.7));
    CHECK(find_metric("boot")->bar->met(1.0));
    CHECK_FALSE(find_metric("boot")->bar->met(1.2));
}

TEST_CASE("the plan of one metric has idle too, and a workload that is not asked for is not wanted") {
    CHECK(plan_for(workload("net"), chosen("tcp_receive")) == "idle:5,tcp_receive:2048");
    CHECK_FALSE(wanted(workload("disk"), chosen("tcp_receive")));
    CHECK_FALSE(wanted(workload("client-net"), chosen("tcp_receive")));
    CHECK(chosen("nonsense").empty());
}

TEST_CASE("a client's metric is asked for with the driver VM's own") {
    const Names names = chosen("client_udp_round");
    CHECK(names == Names{"client_udp_round_trip", "udp_round_trip"});
    CHECK(wanted(workload("net"), names));
    CHECK(plan_for(workload("client-net"), names) == "idle:5,udp_round_trip:1000");
    CHECK(compared_with(*find_metric("tcp_receive")) == nullptr);
}

TEST_CASE("every client's metric has one of the driver VM's, and names are unique") {
    Names names;
    for (const Metric& metric : metrics()) {
        CHECK(names.insert(metric.name).second);
        if (const bool client = std::string{metric.name}.starts_with("client_"); client && *metric.unit != '\0')
            CHECK(compared_with(metric) != nullptr);
    }
}

TEST_CASE("VMs that are to be idle are given time to become so") {
    CHECK(plan_for(workload("vms-8"), chosen("vms_load")) == "settle:35,idle:15");
    CHECK(plan_for(workload("vms-1"), chosen("vms_load")) == "idle:15");
    CHECK(plan_for(workload("restart-warm"), chosen("restart_away")) == "udp_round_trip:1");
}

TEST_CASE("a driver VM's policy has it alone, and it measures") {
    const std::string policy = policy_of("net");
    CHECK(has(policy, "panic=-1 cm.quiet=7 cm.net_mb=0 cm.net_bench=PLAN cm.net_peer=10.0.2.2 cm.net_port=7001 cm.net_address=10.0.2.15/24\""));
    CHECK_FALSE(has(policy, "disk0"));
    CHECK_FALSE(has(policy, "cm.crash_after"));
    CHECK(has(policy, "core = 1\nplacement = \"dedicated\""));
    CHECK(has(policy_of("disk"), "core = 1\nplacement = \"dedicated\""));
}

TEST_CASE("a client's policy has it at a link, and the driver VM leaves the measuring to it") {
    const std::string net = policy_of("client-net");
    CHECK(has(net, "panic=-1 cm.net_mb=0 cm.net_address=10.0.2.15/24\""));
    CHECK(has(net, "cm.net=1 cm.quiet=7 cm.net_mb=0 cm.net_bench=PLAN cm.net_peer=10.0.2.2 cm.net_port=7001 cm.net_address=10.0.2.16/24\""));
    CHECK(has(net, "between = [\"net0\", \"client0\"]"));
    const std::string disk = policy_of("client-disk");
    CHECK(has(disk, "panic=-1 cm.disk_mb=0\""));
    CHECK(has(disk, "cm.disk=1:1 cm.quiet=7 cm.disk_mb=0 cm.disk_bench=PLAN\""));
    CHECK_FALSE(has(disk, "net0"));
    CHECK(has(net, "core = 1\nplacement = \"dedicated\""));
    CHECK(has(disk, "core = 1\nplacement = \"dedicated\""));
    CHECK_FALSE(has(policy_of("vms-2"), "dedicated"));
}

TEST_CASE("a restart's policy says how, and the driver VM crashes") {
    CHECK(has(policy_of("restart-cold"), "restart = \"cold\""));
    CHECK(has(policy_of("restart-warm"), "restart = \"warm\""));
    CHECK(has(policy_of("restart-warm"), "cm.crash_after="));
    CHECK(has(policy_of("restart-warm"), "placement = \"dedicated\""));
}

TEST_CASE("a policy for many VMs has idle ones in it, without links") {
    const std::string policy = policy_of("vms-4");
    CHECK(has(policy, "name = \"idle2\""));
    CHECK_FALSE(has(policy, "name = \"idle3\""));
    CHECK_FALSE(has(policy, "[[link]]"));
}

TEST_CASE("a policy that does not have what is to be changed is an error") {
    CHECK_FALSE(policy_source("epoch = 1\n", {&workload("net"), "PLAN", {}}, 7).ok());
}

TEST_CASE("an expected ratio is that of the native time to it with the exits' cycles") {
    // 100 Mb/s: 10 ms a megabit. 40,000 exits for 20 Mb: 2,000 a megabit, 500 ns each, 1 ms.
    const Timed rate{.metric = "tcp_receive", .begun = {}, .ended = {}, .value = 10, .seconds = 2};
    CHECK(expected_ratio(*find_metric("tcp_receive"), 100, rate, 40000).value() == Approx(10.0 / 11));
    // 100 us natively; 4,000 exits for 1,000 round trips: 4 each, 2 us.
    const Timed time{.metric = "udp_round_trip", .begun = {}, .ended = {}, .value = 500, .seconds = 0.5};
    CHECK(expected_ratio(*find_metric("udp_round_trip"), 100, time, 4000).value() == Approx(1.02));
    CHECK_FALSE(expected_ratio(*find_metric("tcp_receive"), 0, rate, 1));
    CHECK_FALSE(expected_ratio(*find_metric("tcp_receive"), 100, Timed{}, 1));
}

TEST_CASE("a restart is measured from the VM's end") {
    const auto times = restart_times(restarted("1"), "net0", "warm", second_life());
    REQUIRE(times.ok());
    CHECK(times.value().away_ms == Approx(1000));
    CHECK(times.value().first_byte_ms == Approx(3000));
    CHECK_FALSE(times.value().without_link_ms);
}

TEST_CASE("the time that a link takes to come up is told apart") {
    RunLog log;
    log.take("CM_STATE net uptime=1.00 available_kib=1 step=up", start + 11s);
    CHECK_FALSE(log.link_training());
    log.take("CM_STATE net uptime=1.50 available_kib=1 step=link", start + 11500ms);
    log.take("CM_BENCH begin metric=udp_round_trip", start + 12s);
    log.take("CM_BENCH end metric=udp_round_trip value=5000 seconds=0.005 work=4 interrupts=3", start + 13s);
    const auto times = restart_times(restarted("1"), "net0", "warm", log);
    REQUIRE(times.ok());
    CHECK(times.value().first_byte_ms == Approx(3000));
    CHECK(times.value().without_link_ms.value() == Approx(2500));
}

TEST_CASE("where interrupts need no exits the bar is higher, if there is another") {
    const model::Emulator older, newer{.program = "qemu", .major = 10};
    const Metric& receive = *find_metric("tcp_receive");
    CHECK(receive.bar_on(older)->text() == ">= 0.80");
    CHECK(receive.bar_on(newer)->text() == ">= 0.95");
    CHECK(find_metric("boot")->bar_on(newer)->text() == "<= 1.10");
    CHECK_FALSE(find_metric("random_read")->bar_on(newer));
}

TEST_CASE("a restart that went another way, or did not happen, is an error") {
    CHECK_FALSE(restart_times(restarted("0"), "net0", "warm", second_life()).ok());
    CHECK_FALSE(restart_times(restarted("1"), "net0", "cold", second_life()).ok());
    CHECK_FALSE(restart_times(restarted("1"), "disk0", "warm", second_life()).ok());
    CHECK_FALSE(restart_times(restarted("1"), "net0", "warm", {}).ok());
}

TEST_CASE("load is told from the samples within the measurement alone") {
    const std::vector<LoadSample> samples{{start + 9s, 0}, {start + 11s, 5}, {start + 13s, 5.5}, {start + 15s, 6}, {start + 17s, 60}};
    CHECK(load_during(samples, timed(10s, 16s)).value() == Approx(25));
    CHECK_FALSE(load_during(samples, timed(10s, 12s)));
    CHECK_FALSE(load_during({}, timed(10s, 12s)));
}

TEST_CASE("a run is measured in the last life of the VM that measures, and an end too many ends it") {
    RunNotes notes{workload("restart-warm")};
    notes.take_line("[net0] CM_STATE net uptime=9 step=bench_done", start + 1s);
    CHECK_FALSE(notes.finished());
    notes.take_line("@cm event=vm_stopped vm=agent cause=4", start + 2s);
    notes.take_line("@cm event=vm_stopped vm=net0 cause=4", start + 2s);
    notes.take_line("[disk0] CM_STATE disk uptime=9 step=bench_done", start + 3s);
    CHECK_FALSE(notes.finished());
    notes.take_line("[net0] CM_STATE net uptime=9 step=bench_done", start + 3s);
    CHECK(notes.finished());
    CHECK_FALSE(notes.ended_too_often());
    notes.take_line("@cm event=vm_stopped vm=net0 cause=4", start + 4s);
    CHECK(notes.finished());
    CHECK(notes.ended_too_often());
}

TEST_CASE("all are idle once the last of them has said so") {
    RunNotes notes{workload("vms-4")};
    notes.take_line("[idle0] CM_STATE client uptime=5 step=done", start + 1s);
    notes.take_line("[idle1] CM_STATE client uptime=5 step=links", start + 2s);
    notes.take_line("[idle1] CM_STATE client uptime=5 step=done", start + 3s);
    CHECK_FALSE(notes.all_idle(start + 9s));
    notes.take_line("[idle2] CM_STATE client uptime=5 step=done", start + 5s);
    CHECK_FALSE(notes.all_idle(start + 4s));
    CHECK(notes.all_idle(start + 5s));
}

TEST_CASE("the exits of every VM are noted once a report") {
    RunNotes notes{workload("client-net")};
    const auto status = nlohmann::json::parse(R"({"uptime_ms": 8000, "vms": [{"name": "net0", "exits": {"msr": 3, "hlt": 4}}, {"name": "client0", "exits": {}}, 7]})");
    notes.take_status(status, start + 1s);
    notes.take_status(status, start + 1s);
    REQUIRE(notes.exits().at("net0").size() == 1);
    CHECK(notes.exits().at("client0").size() == 1);
    CHECK(total(notes.exits().at("net0")[0].exits) == 7);
    CHECK(notes.exits().at("net0")[0].uptime_seconds == Approx(8));
    notes.take_status(nullptr, start + 2s);
    CHECK(notes.exits().size() == 2);
}

TEST_CASE("lines of code are those with something besides blanks and comments") {
    CHECK(code_lines("int a;\n\n  // comment\nint b; // c\n") == 2);
    CHECK(code_lines("/* one\n two */ int a;\n/* three */\n") == 1);
    CHECK(code_lines("s = \"// no comment\";\nt = \"/*\";\nint a;\n") == 3);
    CHECK(code_lines("c = '\"';\n// comment\nn = 1'000;\n/* x */\n") == 2);
    CHECK(code_lines("last line without its end") == 1);
    CHECK(code_lines("") == 0);
}

TEST_CASE("the size of an ELF file is told by what is loaded and what is written") {
    const auto size = elf_size(elf_with({section(SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 100), section(SHT_PROGBITS, SHF_ALLOC, 20),
                                         section(SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 7), section(SHT_PROGBITS, SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR, 3),
                                         section(SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 50),
                                         section(SHT_PROGBITS, 0, 1000)}));
    REQUIRE(size);
    CHECK(size->text == 123);
    CHECK(size->data == 7);
    CHECK(size->bss == 50);
}

TEST_CASE("a truncated ELF file has no size") {
    const auto file = elf_with({section(SHT_PROGBITS, SHF_ALLOC, 1)});
    for (std::size_t length = 0; length < file.size(); ++length) CHECK_FALSE(elf_size(ByteView{file}.first(length)));
}

TEST_CASE("the code for the policy is told by its symbols, and a file without symbols has none", "[bench]") {
    std::ifstream in{"/proc/self/exe", std::ios::binary}; // a program with all of it
    const std::vector<char> text{std::istreambuf_iterator<char>{in}, {}};
    const ByteView program{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    const secret::CodeSize size = secret::code_size(program);
    CHECK(size.at("policy") > 1000);
    CHECK(size.at("envelope") > 100);
    CHECK(size.at("all") > size.at("policy") + size.at("envelope"));
    for (std::size_t length = 0; length < 128; ++length) CHECK(secret::code_size(program.first(length)).empty());
    CHECK(secret::code_size(program.first(program.size() / 2)).empty()); // the tables stand at its end
}

TEST_CASE("the exits of a measurement are the difference around it less what idling costs") {
    // Idle from 10 to 14: 10 msr exits a second. Then a measurement from 30 to 34, 1,000 exits of its own.
    const std::vector<ExitSample> samples{sample(8s, 100, 0), sample(18s, 200, 0), sample(28s, 300, 5), sample(38s, 1360, 5)};
    const auto idle = idle_rate(samples, timed(10s, 14s));
    CHECK(idle.at("msr") == Approx(10));
    const auto exits = exits_during(samples, timed(30s, 34s), idle);
    CHECK(exits.at("msr") == Approx(1000)); // 1,060 between the samples, 6 s of them idle
    CHECK(exits.at("hlt") == Approx(0));
}

TEST_CASE("a report that may be older than the end of the measurement does not count") {
    const std::vector<ExitSample> samples{sample(8s, 100, 0), sample(15s, 900, 0)};
    CHECK(exits_during(samples, timed(10s, 14s), {}).empty());
}

TEST_CASE("a run's console gives its measurements, its boot and its end") {
    RunLog log;
    log.take("CM_STATE net uptime=2.50 step=boot", start + 3s);
    log.take("CM_BENCH begin metric=tcp_receive", start + 4s);
    log.take("CM_BENCH end metric=other value=1 seconds=1 work=1 interrupts=1", start + 5s);
    log.take("CM_BENCH end metric=tcp_receive value=500.5 seconds=2 work=10 interrupts=3", start + 6s);
    REQUIRE(log.measurements().size() == 1);
    CHECK(log.measurements()[0].value == Approx(500.5));
    CHECK(log.measurements()[0].ended == start + 6s);
    CHECK(log.boot_uptime() == Approx(2.5));
    CHECK_FALSE(log.finished());
    log.take("CM_STATE net uptime=9 step=bench_done", start + 7s);
    CHECK(log.finished());
    CHECK(log.failure().empty());
}

TEST_CASE("a probe that failed ends the run with its words") {
    RunLog log;
    log.take("CM_PROOF bench-net error=\"no datagram came\"", start);
    CHECK(log.finished());
    CHECK(log.failure().find("no datagram came") != std::string::npos);
}

TEST_CASE("a policy without a VM has neither its table nor those of its devices") {
    const std::string source = "epoch = 1\n\n[[vm]]\nname = \"a\"\n\n[[vm]]\nname = \"b\"\n\n[[device]]\nholders = [\"b\"]\n";
    CHECK(session::without_tables(source, "\"b\"") == "epoch = 1\n\n[[vm]]\nname = \"a\"\n\n");
}
