// SPDX-License-Identifier: Apache-2.0
// The arithmetic and the parsers of `casemate bench`.
#include "dlaunch/session/policy_variant.hpp"
#include "tests/bench/code_lines.hpp"
#include "tests/bench/elf_size.hpp"
#include "tests/bench/exits.hpp"
#include "tests/bench/metrics.hpp"
#include "tests/bench/statistics.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <elf.h>

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

TEST_CASE("ratios are of the runs of one round, and a broken last round has none") {
    CHECK(paired_ratios({1, 6}, {2, 3, 9}) == std::vector<double>{0.5, 2});
}

TEST_CASE("a bar is met on its own side") {
    CHECK(find_metric("tcp_receive")->bar->met(0.8));
    CHECK_FALSE(find_metric("tcp_receive")->bar->met(0.7));
    CHECK(find_metric("boot")->bar->met(1.0));
    CHECK_FALSE(find_metric("boot")->bar->met(1.2));
}

TEST_CASE("the plan of one metric has idle too, and a workload that is not asked for has none") {
    CHECK(plan_for(Workload::net, "tcp_receive") == "idle:5,tcp_receive:512");
    CHECK(plan_for(Workload::disk, "tcp_receive").empty());
    CHECK(plan_for(Workload::net, "nonsense").empty());
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
