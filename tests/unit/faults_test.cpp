// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/canaries.hpp"
#include "tests/faults/report.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>

namespace casemate::faults {

namespace {

const std::string good(64, 'a'), other(64, 'b');

/// What the others say when they have done a whole round after the one they were in.
void rounds(Judge& judge, int count = 2) {
    for (int i = 0; i < count; ++i) {
        judge.take("[disk0] CM_PROOF disk bytes=1 write_sha256=" + good + " read_sha256=" + good);
        judge.take("[canary] CM_CANARY round=1 pages=4 bad=0");
    }
}

void inject(Judge& judge) { judge.take("[net0] [   12.5] CM_FAULT inject number=7 class=text target=ip_rcv+4 bits=1"); }
void served(Judge& judge) { judge.take("[net0] CM_FAULT served number=7"); }
void stopped(Judge& judge, const char* cause) { judge.take(std::string{"@cm event=vm_stopped vm=net0 cause="} + cause + " reason=2"); }
void started(Judge& judge, const char* warm) { judge.take(std::string{"@cm event=vm_started vm=net0 start=2 core=1 warm="} + warm); }

Judge begun() {
    Judge judge{{good}};
    judge.begin(7);
    return judge;
}

} // namespace

TEST_CASE("a campaign's faults follow from its seed alone, and each row has every class once", "[faults]") {
    for (std::uint64_t row = 0; row < 5; ++row) {
        std::set<std::string> kinds;
        for (std::uint64_t i = 0; i < classes().size(); ++i) {
            const Fault one = fault_for(3, row * classes().size() + i, classes()), again = fault_for(3, one.number, classes());
            CHECK(one.kind == again.kind);
            CHECK(one.seed == again.seed);
            kinds.insert(one.kind);
        }
        CHECK(kinds.size() == classes().size());
    }
    CHECK(fault_for(3, 0, classes()).seed != fault_for(3, 1, classes()).seed);
    CHECK(fault_for(3, 0, classes()).seed != fault_for(4, 0, classes()).seed);
}

TEST_CASE("a fault is settled when the driver VM served and the others did a whole round after it", "[faults]") {
    Judge judge = begun();
    rounds(judge);
    CHECK_FALSE(judge.injected());
    inject(judge);
    CHECK(judge.injected());
    CHECK(judge.target() == "ip_rcv+4");
    served(judge);
    CHECK_FALSE(judge.settled()); // the rounds before it do not count
    CHECK(judge.others_idle() == "disk0");
    rounds(judge, 1);
    CHECK_FALSE(judge.settled()); // it may have begun before the fault
    rounds(judge, 1);
    CHECK(judge.settled());
    CHECK(judge.effect() == Effect::none);
}

TEST_CASE("what became of the driver VM is told apart", "[faults]") {
    Judge judge = begun();
    inject(judge);
    SECTION("not back") { stopped(judge, "4"); CHECK(judge.effect() == Effect::lost); }
    SECTION("warm") {
        stopped(judge, "4"); started(judge, "1"); served(judge);
        CHECK(judge.effect() == Effect::crashed_warm);
    }
    SECTION("cold") {
        stopped(judge, "4"); started(judge, "1"); stopped(judge, "4"); started(judge, "0"); served(judge);
        CHECK(judge.effect() == Effect::crashed_cold);
    }
    SECTION("hung") {
        stopped(judge, "5"); started(judge, "1"); served(judge);
        CHECK(judge.effect() == Effect::hung);
    }
    SECTION("quarantined") {
        stopped(judge, "4"); judge.take("@cm event=quarantined device=00:03.0 tainted=net0"); started(judge, "0"); served(judge);
        CHECK(judge.effect() == Effect::regranted);
    }
    SECTION("served before it crashed is not served") {
        served(judge); stopped(judge, "4");
        CHECK(judge.effect() == Effect::lost);
    }
    CHECK(judge.problems().empty());
}

TEST_CASE("an end before the fault is not the fault's", "[faults]") {
    Judge judge = begun();
    stopped(judge, "4");
    started(judge, "0");
    inject(judge);
    served(judge);
    CHECK(judge.effect() == Effect::none);
}

TEST_CASE("nothing that happens to others goes unnoticed", "[faults]") {
    Judge judge = begun();
    const char* lines[] = {"@cm event=vm_stopped vm=disk0 cause=3 reason=12",
                           "@cm event=vm_stopped vm=agent cause=4 reason=2",
                           "@cm event=draining device=00:04.0 cause=1",
                           "@cm event=hypervisor_stopped why=check",
                           "hypervisor exception vector=14 error=0x0",
                           "[disk0] CM_PROOF disk error=\"/dev/nvme0n1 returned other bytes\"",
                           "[agent] CM_AGENT event=appraised verdict=\"contraindicated\" grants=0 gates=0 leases=0",
                           "[canary] CM_CANARY round=3 pages=4 bad=1"};
    for (const char* line : lines) {
        const std::size_t before = judge.problems().size();
        judge.take(line);
        INFO(line);
        CHECK(judge.problems().size() == before + 1);
    }
    const std::size_t before = judge.problems().size();
    judge.take("[agent] CM_AGENT event=appraised verdict=\"affirming\" grants=2");
    judge.take("[disk0] CM_PROOF disk bytes=1 write_sha256=" + other + " read_sha256=" + other); // not what it was to write
    judge.take("[disk0] CM_PROOF disk bytes=1 write_sha256=" + good + " read_sha256=" + other);
    CHECK(judge.problems().size() == before + 2);
}

TEST_CASE("the faulty VM cannot speak for others", "[faults]") {
    Judge judge = begun();
    judge.take("[net0] @cm event=hypervisor_stopped why=lie");
    judge.take("[net0] [disk0] CM_PROOF disk error=\"lie\"");
    judge.take("[net0] CM_CANARY round=1 pages=1 bad=1");
    CHECK(judge.problems().empty());
    judge.take("[net0] CM_FAULT mark address=0xzz magic=00");
    CHECK_FALSE(judge.faulty_mark());
    judge.take("[net0] CM_FAULT mark address=0x1000 magic=000102030405060708090a0b0c0d0e0f");
    REQUIRE(judge.faulty_mark());
    CHECK(judge.faulty_mark()->magic[15] == 15);
}

TEST_CASE("what a NIC received is allowed in its VM only, and memory of nobody must not change", "[faults]") {
    constexpr std::uint64_t mebibyte = 1 << 20, canary_at = 4 * mebibyte, faulty_at = 8 * mebibyte, page = 0x1000;
    const std::string mark = "a mark that stands nowhere else..", faulty(16, 'F'), canary(16, 'C');
    std::string bytes(12 * mebibyte, '\0');
    const auto put = [&](std::uint64_t at, const std::string& text) { bytes.replace(at, text.size(), text); };
    put(canary_at + page, canary);
    put(faulty_at + page, faulty);
    Canaries canaries{mark};
    const auto look = [&] { return canaries.look(PhysicalMemory{bytes}, {page, faulty}, {page, canary}).value_or("well"); };
    CHECK(look() == "what the NIC received is not marked");
    put(faulty_at + 3 * page, mark);
    CHECK(look() == "well");
    put(canary_at + 3 * page, mark);
    CHECK(look() == "well");
    SECTION("it stands elsewhere") {
        put(mebibyte, mark);
        CHECK(look() == "what the NIC received stands at 0x100000, outside of its VM");
    }
    SECTION("one bit of nobody's memory") {
        bytes[3 * mebibyte] = 1;
        CHECK(look() == "memory that belongs to nobody changed at 0x200000");
    }
    SECTION("a VM cannot be found") {
        bytes[canary_at + page] = 'x';
        CHECK(look() == "a VM's mark is not in physical memory");
    }
}

TEST_CASE("a campaign's state survives being kept, and nothing else is taken for one", "[faults]") {
    State state;
    state.seed = 9;
    state.next = 3;
    state.sessions = 2;
    state.count({0, "dma", 1}, Effect::none);
    state.count({1, "text", 1}, Effect::crashed_warm);
    state.failures.push_back({1, "text", "what", {"a line"}});
    const auto file = std::filesystem::temp_directory_path() / "casemate-faults-state.json";
    REQUIRE(save(state, file));
    const auto kept = load(file);
    REQUIRE(kept);
    CHECK(to_json(*kept) == to_json(state));
    CHECK(kept->seed == 9);
    CHECK(kept->next == 3);
    CHECK(kept->sessions == 2);
    CHECK(kept->failures.size() == 1);
    CHECK(kept->effects.at("text").at("crashed, back warm") == 1);
    std::ofstream{file} << "{\"version\": 1}";
    CHECK_FALSE(load(file));
    std::filesystem::remove(file);
    CHECK_FALSE(load(file));
    CHECK_FALSE(passed(state, 3));
    state.failures.clear();
    CHECK(passed(state, 3));
    CHECK_FALSE(passed(state, 4));
    CHECK(table(state, 4).find("crashed, back warm") != std::string::npos);
}

} // namespace casemate::faults
