// SPDX-License-Identifier: Apache-2.0
// The agent's TPM view, driven as Linux's tpm_crb drives it.
#include "hypervisor/devices/tpm_acpi.hpp"
#include "hypervisor/devices/tpm_crb.hpp"
#include "policy/model/tpm_commands.hpp"

#include <catch2/catch.hpp>

#include <numeric>
#include <vector>

using namespace casemate;
using namespace casemate::devices;

namespace {

struct FakeTpm final : AgentTpm {
    std::vector<std::vector<std::uint8_t>> seen;
    std::optional<std::vector<std::uint8_t>> response;
    bool busy = false;
    bool submit(ByteView command) override {
        if (busy)
            return false;
        seen.emplace_back(command.begin(), command.end());
        return true;
    }
    std::optional<ByteView> poll() override {
        if (!response)
            return {};
        return ByteView{*response};
    }
};

struct Fixture {
    std::vector<std::uint8_t> registers = std::vector<std::uint8_t>(4096);
    std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(4096);
    FakeTpm tpm;
    TpmCrb crb;

    explicit Fixture(std::span<const std::uint32_t> allowed = policy::most_tpm_commands) : crb{registers, buffer, allowed, tpm} {}

    std::uint32_t reg(std::uint32_t offset) { return static_cast<std::uint32_t>(crb.read_memory(offset, 4)); }
    void command(std::uint32_t size, std::uint32_t code) {
        BigEndianWriter out{buffer};
        out.u16(0x8001);
        out.u32(size);
        out.u32(code);
    }
    void run(std::uint32_t size, std::uint32_t code) {
        crb.write_memory(0x08, 4, 1);
        crb.write_memory(0x40, 4, 1);
        command(size, code);
        crb.write_memory(0x4c, 4, 1);
    }
    std::uint32_t response_code() {
        BigEndianReader in{buffer};
        in.u16();
        in.u32();
        return in.u32();
    }
};

} // namespace

TEST_CASE("the register page tells a driver where the buffer is", "[crb]") {
    Fixture f;
    CHECK((f.reg(0x30) & 0xf) == 1);
    CHECK(f.reg(0x58) == 4096);
    CHECK(f.reg(0x5c) == 0xfed41000);
    CHECK(f.reg(0x60) == 0);
    CHECK(f.reg(0x64) == 4096);
    CHECK(f.crb.read_memory(0x68, 8) == 0xfed41000);
    CHECK(f.reg(0x44) == 2);
    CHECK(f.crb.read_memory(4096, 4) == ~0ull);
}

TEST_CASE("locality and command-ready follow the driver's requests", "[crb]") {
    Fixture f;
    f.crb.write_memory(0x08, 4, 1);
    CHECK((f.reg(0x00) & 0x9e) == 0x82);
    CHECK(f.reg(0x0c) == 1);
    f.crb.write_memory(0x40, 4, 1);
    CHECK(f.reg(0x40) == 0);
    CHECK(f.reg(0x44) == 0);
    f.crb.write_memory(0x40, 4, 2);
    CHECK(f.reg(0x44) == 2);
    f.crb.write_memory(0x08, 4, 2);
    CHECK((f.reg(0x00) & 2) == 0);
}

TEST_CASE("a listed command runs and its response appears when START falls", "[crb]") {
    Fixture f;
    f.run(12, 0x17b);
    REQUIRE(f.tpm.seen.size() == 1);
    CHECK(f.tpm.seen[0].size() == 12);
    CHECK(f.reg(0x4c) == 1);
    f.crb.write_memory(0x4c, 4, 1); // a second START does nothing
    CHECK(f.tpm.seen.size() == 1);
    f.crb.poll();
    CHECK(f.reg(0x4c) == 1);
    f.tpm.response = std::vector<std::uint8_t>{0x80, 0x01, 0, 0, 0, 11, 0, 0, 0, 0, 0x5a};
    f.crb.poll();
    CHECK(f.reg(0x4c) == 0);
    CHECK(f.response_code() == 0);
    CHECK(f.buffer[10] == 0x5a);
}

TEST_CASE("commands that change PCRs or hierarchies never reach the TPM", "[crb]") {
    for (const std::uint32_t code :
         {0x182u /* PCR_Extend */, 0x13du /* PCR_Reset */, 0x13cu /* PCR_Event */, 0x126u /* Clear */,
          0x121u /* HierarchyControl */, 0x129u /* HierarchyChangeAuth */, 0x120u /* EvictControl */,
          0x12bu /* PCR_Allocate */, 0x137u /* NV_Write */, 0x15eu /* Unseal */, 0x145u /* Shutdown */, 0u,
          ~0u}) {
        Fixture f;
        f.run(10, code);
        CHECK(f.tpm.seen.empty());
        CHECK(f.response_code() == 0x143);
        CHECK(f.reg(0x4c) == 0);
    }
}

TEST_CASE("of the commands that an agent may have, those that the policy does not list never reach the TPM", "[crb]") {
    constexpr std::array<std::uint32_t, 2> listed{0x17a, 0x17b}; // GetCapability, GetRandom
    for (const std::uint32_t code : policy::most_tpm_commands) {
        Fixture f{listed};
        f.run(10, code);
        CHECK(f.tpm.seen.size() == (code == 0x17a || code == 0x17b ? 1 : 0));
        if (f.tpm.seen.empty()) CHECK(f.response_code() == 0x143);
    }
}

TEST_CASE("a command with an impossible size never reaches the TPM", "[crb]") {
    for (const std::uint32_t size : {0u, 9u, 4097u, ~0u}) {
        Fixture f;
        f.run(size, 0x17b);
        CHECK(f.tpm.seen.empty());
        CHECK(f.response_code() == 0x143);
    }
}

TEST_CASE("START without command-ready, or of another width, does nothing", "[crb]") {
    Fixture f;
    f.command(12, 0x17b);
    f.crb.write_memory(0x4c, 4, 1);
    f.crb.write_memory(0x40, 4, 1);
    f.crb.write_memory(0x4c, 1, 1);
    f.crb.write_memory(0x4c, 8, 1);
    CHECK(f.tpm.seen.empty());
}

TEST_CASE("a failed or busy TPM is answered with TPM_RC_FAILURE", "[crb]") {
    Fixture f;
    f.tpm.response = std::vector<std::uint8_t>{};
    f.run(12, 0x17b);
    CHECK(f.response_code() == 0x101);
    Fixture g;
    g.tpm.busy = true;
    g.run(12, 0x17b);
    CHECK(g.response_code() == 0x101);
}

TEST_CASE("the ACPI tables have their length, checksum and address", "[crb]") {
    constexpr auto tpm2 = tpm2_table();
    constexpr auto ssdt = tpm_ssdt();
    CHECK(tpm2[4] == 52);
    CHECK((std::accumulate(tpm2.begin(), tpm2.end(), 0u) & 0xff) == 0);
    CHECK((std::accumulate(ssdt.begin(), ssdt.end(), 0u) & 0xff) == 0);
    CHECK(tpm2[40] == 0x40);
    CHECK(tpm2[42] == 0xd4);
    CHECK(ssdt[36 + 42 + 2] == 0xd4);
}
