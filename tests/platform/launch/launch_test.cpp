// SPDX-License-Identifier: Apache-2.0
// A good launch: what the hypervisor is handed, and that log, prediction and TPM agree in every bank.
#include "dlaunch/measure/launch_events.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "policy/model/bundle.hpp"
#include "tests/platform/launch/boot.hpp"
#include "tests/platform/model/pcr.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::launch_test;

namespace {

measure::Banks all_banks() {
    measure::Banks banks;
    for (const auto& bank : model::test::banks) REQUIRE(banks.add(measure::TPM_ALG_ID{bank.algorithm}));
    return banks;
}

/// PCR 17 and 18 as docs/interfaces/ledger.md defines them, from the files alone.
measure::LaunchPcrs predicted(const Files& files) {
    const measure::Banks banks = all_banks();
    measure::LaunchPcrs pcrs{banks};
    const auto extend = [&](std::uint32_t pcr, ByteView bytes) {
        REQUIRE(pcrs.extend(pcr, measure::hash_all(banks, bytes)));
    };
    extend(17, files.at("slb.bin"));
    extend(17, files.at("hypervisor.elf"));
    extend(18, policy::open_bundle(files.at("policy.cbor")).value().owners.bytes());
    extend(18, files.at("policy.cbor"));
    return pcrs;
}

measure::LaunchPcrs replayed(ByteView log) {
    auto reader = measure::EventLogReader::open(log);
    REQUIRE(reader.ok());
    measure::LaunchPcrs pcrs{reader.value().banks()};
    unsigned events = 0;
    for (; !reader.value().at_end(); ++events) {
        const auto event = reader.value().next();
        REQUIRE(event.ok());
        REQUIRE(pcrs.extend(event.value().pcr, event.value().digests));
    }
    CHECK(events == 4);
    return pcrs;
}

void check_hand_over(const std::string& probe) {
    CHECK(field(probe, "good") == "1");
    CHECK(field(probe, "kind") == "1");
    CHECK(field(probe, "images") == "3"); // two files and the firmware's log
    CHECK(field(probe, "all_denied") == "1");
    CHECK(field(probe, "code") == "5"); // read and execute
    CHECK(field(probe, "constant") == "4");
    CHECK(field(probe, "variable") == "6");
    CHECK(field(probe, "boot_info") == "6");
    CHECK(field(probe, "data_good") == "1");
    CHECK(std::stoul(field(probe, "stack_left")) >= 1024);
}

} // namespace

TEST_CASE("a launch enters the hypervisor with all DMA denied, and TPM, log and prediction agree in every bank") {
    const Files files = good_files();
    model::PlatformConfig config;
    config.pcr_banks = "sha1,sha256,sha384,sha512";
    Boot boot{files, config};
    const auto log_line = boot.event("probe_log");
    REQUIRE(log_line);
    const auto probe = boot.event("probe");
    REQUIRE(probe);
    check_hand_over(*probe);
    const measure::LaunchPcrs from_files = predicted(files);
    const measure::LaunchPcrs from_log = replayed(test::from_hex(field(*log_line, "hex")));
    for (const auto& bank : model::test::banks) {
        for (const unsigned pcr : {17u, 18u, 19u, 20u, 21u, 22u}) {
            INFO(bank.name << " PCR " << pcr);
            const auto actual = model::test::read_pcr(boot.platform(), bank, pcr);
            const measure::TPM_ALG_ID algorithm{bank.algorithm};
            CHECK(equal(actual, from_files.value(algorithm, pcr).view()));
            CHECK(equal(actual, from_log.value(algorithm, pcr).view()));
        }
    }
}

TEST_CASE("a policy that two of three owners have signed launches, and PCR 18 names all three") {
    Files files = good_files();
    files["policy.cbor"] = bundle_of_owners(2);
    Boot boot{files};
    const auto probe = boot.event("probe");
    REQUIRE(probe);
    check_hand_over(*probe);
    const auto actual = model::test::read_pcr(boot.platform(), model::test::banks[1], 18);
    CHECK(equal(actual, predicted(files).value(measure::TPM_ALG_ID::SHA256, 18).view()));
}

TEST_CASE("a start that the TPM never heard of is marked unmeasured, and its PCR 17 fits no launch") {
    const Files files = good_files();
    model::PlatformConfig config;
    config.skinit = model::SkinitMode::unmeasured;
    Boot boot{files, config};
    const auto probe = boot.event("probe");
    REQUIRE(probe);
    CHECK(field(*probe, "kind") == "0");
    const auto& sha256 = model::test::banks[1];
    const auto actual = model::test::read_pcr(boot.platform(), sha256, 17);
    CHECK_FALSE(equal(actual, predicted(files).value(measure::TPM_ALG_ID::SHA256, 17).view()));
}
