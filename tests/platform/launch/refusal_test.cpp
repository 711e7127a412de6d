// SPDX-License-Identifier: Apache-2.0
// What must not launch: the SLB stops with its number and caps the PCRs; the launcher says what is wrong.
#include "dlaunch/measure/launch_layout.hpp"
#include "dlaunch/measure/pcr_map.hpp"
#include "tests/platform/launch/boot.hpp"
#include "tests/platform/model/pcr.hpp"

#include <catch2/catch.hpp>

#include <cstring>

using namespace casemate;
using namespace casemate::launch_test;

namespace {

/// The record that a stopped SLB leaves in its own 64 KiB, over LaunchParams.
launch::FailureRecord failure_record(Boot& boot, const Files& files) {
    const auto start = boot.event("slb_start");
    if (!start) return {};
    launch::SlbHeader header{};
    std::memcpy(&header, files.at("slb.bin").data(), sizeof header);
    const auto base = std::stoull(field(*start, "base"), nullptr, 16);
    const Bytes bytes = boot.memory(base + header.params_offset, sizeof(launch::FailureRecord));
    launch::FailureRecord record{};
    if (bytes.size() == sizeof record) std::memcpy(&record, bytes.data(), sizeof record);
    return record;
}

/// Boots, expects the SLB to stop with `code`, and checks that PCR 18-22 hold the cap on top of zeros.
void check_stops(const Files& files, const std::string& code, bool authority_clean) {
    Boot boot{files};
    const auto failure = boot.event("launch_failure");
    REQUIRE(failure);
    CHECK(field(*failure, "code") == code);
    CHECK(field(*failure, "capped") == "1");
    const launch::FailureRecord record = failure_record(boot, files);
    CHECK(record.magic == launch::failure_magic);
    CHECK(std::to_string(record.code) == code);
    CHECK(record.capped == 1);
    const auto& sha256 = model::test::banks[1];
    using measure::Digest;
    constexpr auto algorithm = measure::TPM_ALG_ID::SHA256;
    const Digest capped = measure::extended(Digest::filled(algorithm, 0x00), Digest::filled(algorithm, 0xff));
    for (const unsigned pcr : {18u, 19u, 20u, 21u, 22u}) {
        if (pcr == 18 && !authority_clean) continue; // the policy was measured before it was refused
        INFO(pcr);
        CHECK(equal(model::test::read_pcr(boot.platform(), sha256, pcr), capped.view()));
    }
}

struct LauncherRefusal {
    std::string reason;        // on COM1, for machines
    bool told_a_person = false; // the firmware's console shows the sentence
};

LauncherRefusal refused_by_launcher(const Files& files, const std::string& sentence, model::PlatformConfig config = {}) {
    Boot boot{files, std::move(config)};
    const auto line = boot.event("launcher_refused");
    return {line ? field(*line, "reason") : "launched", boot.says("Casemate is not launched: " + sentence)};
}

std::string launcher_reason(const Files& files) { return refused_by_launcher(files, "").reason; }

} // namespace

TEST_CASE("a policy whose signature has one bit flipped stops the launch with code 51") {
    Files files = good_files();
    files["policy.cbor"].back() ^= 1;
    check_stops(files, "51", false);
}

TEST_CASE("a policy that one of two owners has not signed stops the launch with code 52") {
    Files files = good_files();
    files["policy.cbor"] = bundle_of_owners(1);
    check_stops(files, "52", false);
}

TEST_CASE("a policy that is no bundle stops the launch with code 50") {
    Files files = good_files();
    files["policy.cbor"] = Bytes(300, 0x17);
    check_stops(files, "50", true);
}

TEST_CASE("a hypervisor that asks for a writable and executable segment stops the launch with code 60") {
    Files files = good_files();
    files["hypervisor.elf"][64 + 4] = 7; // p_flags of the first segment
    check_stops(files, "60", false);
}

TEST_CASE("without SVM, SKINIT or a TPM the launcher says so on the console, and launches nothing") {
    const auto on_processor = [](const char* cpu, const char* sentence) {
        model::PlatformConfig config;
        config.extra_qemu_arguments = {"-cpu", cpu}; // the last one counts
        return refused_by_launcher(good_files(), sentence, std::move(config));
    };
    const LauncherRefusal no_svm = on_processor("EPYC-v1,-svm", "this processor has no SVM");
    CHECK(no_svm.reason == "no_svm");
    CHECK(no_svm.told_a_person);
    const LauncherRefusal no_skinit = on_processor("EPYC-v1,+svm,-skinit", "this processor has no SKINIT instruction");
    CHECK(no_skinit.reason == "no_skinit");
    CHECK(no_skinit.told_a_person);
    model::PlatformConfig bare;
    bare.tpm_interface = model::TpmInterface::none;
    const LauncherRefusal no_tpm = refused_by_launcher(good_files(), "no TPM 2.0", std::move(bare));
    CHECK(no_tpm.reason == "no_tpm");
    CHECK(no_tpm.told_a_person);
}

TEST_CASE("the launcher names a missing, an empty and a malformed file, and launches nothing") {
    Files missing = good_files();
    missing.erase("initrd");
    CHECK(launcher_reason(missing) == "file_missing");
    Files empty = good_files();
    empty["policy.cbor"].clear();
    CHECK(launcher_reason(empty) == "file_oversized");
    Files malformed = good_files();
    malformed["slb.bin"][4] ^= 1;
    CHECK(launcher_reason(malformed) == "bad_slb");
}
