// SPDX-License-Identifier: Apache-2.0
// SKINIT end to end: what the guest sees, and what the TPM holds.
#include "tests/platform/model/pcr.hpp"
#include "tests/platform/model/scene.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::model;
using namespace casemate::model::test;

namespace {

bool all_bytes(const Digest& digest, std::uint8_t value) {
    return !digest.empty() && std::all_of(digest.begin(), digest.end(), [&](auto byte) { return byte == value; });
}

std::string line_with(const Scene& scene, const std::string& text) {
    for (const auto& line : scene.lines)
        if (line.find(text) != std::string::npos) return line;
    return {};
}

void require_refusals(const Scene& scene) {
    CHECK(scene.said("attempt=no-svme fault=6"));
    CHECK(scene.said("attempt=no-length fault=13"));
    CHECK(scene.said("attempt=entry-outside fault=13"));
    CHECK(scene.said("attempt=entry-in-header fault=13"));
    CHECK(scene.said("attempt=no-memory fault=13"));
    CHECK(scene.said("attempt=running-processor fault=13"));
}

} // namespace

TEST_CASE("SKINIT refuses what it must, then launches measured, in the architected state, with GIF 0") {
    PlatformConfig config;
    config.pcr_banks = "sha1,sha256,sha384,sha512";
    Scene scene{config};
    REQUIRE(scene.sees("attempt=running-processor"));
    require_refusals(scene);
    for (const Bank& bank : banks) CHECK(all_bytes(read_pcr(scene.platform(), bank, 17), 0xff));
    REQUIRE(scene.sees("@slb done"));

    const auto slb = file_bytes(CASEMATE_SKINIT_SLB);
    for (const Bank& bank : banks) {
        INFO(bank.name);
        CHECK(read_pcr(scene.platform(), bank, 17) == predict_pcr17(bank, slb));
        CHECK(all_bytes(read_pcr(scene.platform(), bank, 18), 0));
        CHECK(all_bytes(read_pcr(scene.platform(), bank, 22), 0));
        CHECK_FALSE(all_bytes(read_pcr(scene.platform(), bank, 0), 0)); // the firmware's measurements are intact
    }
    const std::string state = line_with(scene, "@slb eax=");
    const LaunchRecord& launch = scene.launches.back();
    CHECK(launch.result == LaunchResult::launched);
    char expected[400];
    std::snprintf(expected, sizeof expected,
                  "@slb eax=%08x edx=00800f12 esp=%08x ebx=00000000 ecx=00000000 esi=00000000 edi=00000000 "
                  "ebp=00000000 cs=00000008 ss=00000010 cr0=00000011 cr3=00000000 cr4=00000000 eflags=00000002 "
                  "efer=00000000",
                  launch.loader.base, launch.loader.base + 0x10000);
    CHECK(state == expected);
    CHECK(scene.said("gif_held=00000001 gif_released=00000001"));
    CHECK(scene.platform().plugin_has_left());
    REQUIRE(scene.ends());
    CHECK(scene.platform().ending()->status == 0x21);
}

TEST_CASE("an unmeasured launch leaves PCR 17 to 22 at FF and says so") {
    PlatformConfig config;
    config.skinit = SkinitMode::unmeasured;
    Scene scene{config};
    REQUIRE(scene.sees("@slb done"));
    CHECK(scene.launches.back().result == LaunchResult::unmeasured);
    for (const unsigned index : {17u, 18u, 19u, 22u}) CHECK(all_bytes(read_pcr(scene.platform(), banks[1], index), 0xff));
}

TEST_CASE("a platform that refuses SKINIT raises #UD, and keeps its TPM over a power cycle") {
    const auto scratch = StateDir::create();
    REQUIRE(scratch.ok());
    PlatformConfig config;
    config.skinit = SkinitMode::refuse;
    config.processors = 1;
    config.tpm_state = scratch.value().path() / "tpm";
    Digest certificate;
    for (int power_cycle = 0; power_cycle < 2; ++power_cycle) {
        Scene scene{config};
        REQUIRE(scene.sees("attempt=good fault=6"));
        const auto now = file_bytes(scene.platform().tpm_identity().ek_certificate);
        REQUIRE_FALSE(now.empty());
        if (power_cycle == 1) CHECK(now == certificate);
        certificate = now;
    }
}
