// SPDX-License-Identifier: Apache-2.0
// The FIFO (TIS) driver against a model of a TPM's locality page, good and broken in every way that it must notice.
#include "hypervisor/hw/tpm_tis.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace casemate;
using namespace casemate::hw;

namespace {

struct StepClock final : Clock {
    mutable std::uint64_t time = 0;
    Micros now() const override { return {time += 100}; }
};

/// One locality of a TPM: takes a command byte by byte, answers with `response`.
struct ModelTpm {
    std::uint32_t id = 0x00011014;
    bool granted = true, seizable = true, active = false;
    bool becomes_ready = true, answers = true;
    std::size_t burst = 8, expected = 12; // bytes of the command that the TPM wants
    bool claims_more = false;             // dataAvail stays set after the response
    std::vector<std::uint8_t> command, response{0x80, 1, 0, 0, 0, 12, 0, 0, 0, 0, 0xab, 0xcd};
    std::size_t sent = 0;
    bool ready = false, running = false;
    std::vector<std::uint8_t> access_writes;

    std::uint8_t read8(std::uint32_t offset) {
        if (offset == tis::access) return id == ~0u ? 0xff : tis::tpm_reg_valid_sts | (active ? tis::active_locality : 0);
        REQUIRE(offset == tis::data_fifo);
        return sent < response.size() ? response[sent++] : 0xff;
    }
    std::uint32_t read32(std::uint32_t offset) {
        if (offset == tis::did_vid) return id;
        REQUIRE(offset == tis::sts);
        std::uint32_t value = tis::sts_valid | static_cast<std::uint32_t>(burst) << tis::burst_count_shift;
        if (ready) value |= tis::command_ready;
        if (!running && command.size() < expected && !command.empty()) value |= tis::expect;
        if (running && answers && (sent < response.size() || claims_more)) value |= tis::data_avail;
        return value;
    }
    void write8(std::uint32_t offset, std::uint8_t value) {
        if (offset == tis::data_fifo) {
            ready = false;
            command.push_back(value);
            return;
        }
        REQUIRE(offset == tis::access);
        access_writes.push_back(value);
        if (value == tis::request_use) active = granted;
        if (value == tis::seize) active = seizable;
        if (value == tis::active_locality) active = false;
    }
    void write32(std::uint32_t offset, std::uint32_t value) {
        REQUIRE(offset == tis::sts);
        if (value == tis::tpm_go) running = true;
        if (value == tis::command_ready) ready = becomes_ready, running = false;
    }
};

const std::vector<std::uint8_t> command{0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8};

struct Bench {
    ModelTpm model;
    StepClock clock;
    TpmTis<ModelTpm> tpm{model, clock};
    std::array<std::uint8_t, 64> buffer{};

    Result<ByteView, TisError> transmit() { return tpm.transmit(command, buffer); }
    TisError error() {
        const auto result = transmit();
        REQUIRE_FALSE(result.ok());
        return result.error();
    }
};

} // namespace

TEST_CASE("a command goes out whole, whatever the burst count, and its response comes back") {
    for (const std::size_t burst : {1, 3, 10, 12, 64}) {
        Bench bench;
        bench.model.burst = burst;
        const auto response = bench.transmit();
        REQUIRE(response.ok());
        CHECK(bench.model.command == command);
        CHECK(equal(response.value(), bench.model.response));
        CHECK_FALSE(bench.model.running); // back to idle
    }
}

TEST_CASE("a locality is requested, and seized only when it is not granted in time") {
    Bench granted;
    CHECK(granted.tpm.take_locality().ok());
    CHECK(granted.model.access_writes == std::vector<std::uint8_t>{tis::request_use});
    Bench seized;
    seized.model.granted = false;
    CHECK(seized.tpm.take_locality().ok());
    CHECK(seized.model.access_writes == std::vector<std::uint8_t>{tis::request_use, tis::seize});
    CHECK(seized.clock.time >= tis::timeout_a.value);
    seized.tpm.release_locality();
    CHECK_FALSE(seized.model.active);
}

TEST_CASE("a locality that cannot be had, and a TPM that is not there, are told apart in bounded time") {
    Bench locked;
    locked.model.granted = locked.model.seizable = false;
    CHECK(locked.tpm.take_locality().error() == TisError::no_locality);
    CHECK(locked.clock.time < 3 * tis::timeout_a.value);
    Bench empty;
    empty.model.id = ~0u;
    CHECK(empty.tpm.take_locality().error() == TisError::absent);
}

TEST_CASE("a TPM that stops in the middle is given up in bounded time, with the place where it stopped") {
    Bench bench;
    SECTION("not ready") {
        bench.model.becomes_ready = false;
        CHECK(bench.error() == TisError::not_ready);
        CHECK(bench.clock.time < 2 * tis::timeout_b.value);
    }
    SECTION("no burst count") {
        bench.model.burst = 0;
        CHECK(bench.error() == TisError::no_burst);
        CHECK(bench.clock.time < 2 * tis::timeout_d.value);
    }
    SECTION("no response") {
        bench.model.answers = false;
        CHECK(bench.error() == TisError::no_response);
        CHECK(bench.clock.time < 2 * tis::command_limit.value);
    }
}

TEST_CASE("a TPM that expects more or fewer bytes than the command has is not started") {
    for (const std::size_t expected : {4, 13, 40}) {
        Bench bench;
        bench.model.burst = 3;
        bench.model.expected = expected;
        INFO(expected);
        CHECK(bench.error() == TisError::not_expecting);
        CHECK_FALSE(bench.model.running);
    }
}

TEST_CASE("a response whose size does not fit its bytes or our buffer is refused") {
    Bench bench;
    SECTION("shorter than its header says") {
        bench.model.response[5] = 20;
        CHECK(bench.error() == TisError::short_response);
    }
    SECTION("longer than it says") {
        bench.model.response[5] = 11;
        CHECK(bench.error() == TisError::long_response);
    }
    SECTION("more than the buffer") {
        bench.model.response[4] = 1;
        CHECK(bench.error() == TisError::long_response);
    }
    SECTION("less than a header") {
        bench.model.response[5] = 9;
        CHECK(bench.error() == TisError::short_response);
    }
    SECTION("bytes left after the end") {
        bench.model.claims_more = true;
        CHECK(bench.error() == TisError::long_response);
    }
}
