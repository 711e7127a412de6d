// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/hw/serial.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace casemate::hw {

namespace {

struct Line {
    bool drains = true;
    unsigned reads = 0;
    std::string sent;
};

struct FakeBus {
    Line* line;
    [[nodiscard]] std::uint8_t read8(std::uint16_t) const {
        ++line->reads;
        return line->drains ? 0x20 : 0;
    }
    void write8(std::uint16_t, std::uint8_t value) const { line->sent += static_cast<char>(value); }
};

} // namespace

TEST_CASE("a line that stops is waited for once, its bytes are dropped, and it goes on when it drains again", "[serial]") {
    Line line;
    Serial log{FakeBus{&line}, com1_port};
    log.write("one\n");
    CHECK(line.sent == "one\r\n");
    line.drains = false;
    log.write("two");
    CHECK(line.reads > 100'000);
    line.reads = 0;
    log.write("three");
    CHECK(line.reads == 5); // one look a byte
    line.drains = true;
    log.write("four");
    CHECK(line.sent == "one\r\nfour");
}

} // namespace casemate::hw
