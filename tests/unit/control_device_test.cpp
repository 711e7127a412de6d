// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/control_device.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace casemate;
using namespace casemate::devices;

namespace {

struct Echo final : ControlOperations {
    std::uint32_t operation = 0;
    std::vector<std::uint8_t> request;
    int runs = 0;
    Reply run(std::uint32_t op, ByteView bytes, ByteSpan response) override {
        ++runs;
        operation = op;
        request.assign(bytes.begin(), bytes.end());
        REQUIRE(response.size() == 224 * 1024);
        std::ranges::copy(bytes, response.begin());
        return {ControlStatus::ok, bytes.size()};
    }
};

struct Fixture {
    std::vector<std::uint8_t> window = std::vector<std::uint8_t>(ControlDevice::window_size);
    Echo echo;
    ControlDevice device{window, {0xe0000000}, 0xc000, echo};

    std::uint32_t at(std::size_t offset) {
        return LittleEndianReader{ByteView{window}.subspan(offset, 4)}.u32();
    }
    void request(std::uint32_t operation, std::uint32_t length) {
        LittleEndianWriter out{ByteSpan{window}.subspan(0x10, 8)};
        out.u32(operation);
        out.u32(length);
    }
};

} // namespace

TEST_CASE("the control device shows itself as documented", "[control]") {
    Fixture f;
    CHECK(f.device.read_config(0, 4) == 0x0001ca5e);
    CHECK(f.device.read_config(8, 4) >> 8 == 0xff0000);
    CHECK(f.device.read_config(0x10, 4) == 0xe0000008);
    CHECK(f.device.read_config(0x18, 4) == 0xc001);
    f.device.write_config(0x10, 4, ~0u);
    f.device.write_config(0x18, 4, ~0u);
    CHECK(f.device.read_config(0x10, 4) == 0xfffc0008);
    CHECK(f.device.read_config(0x18, 4) == 0xfffffff1);
    CHECK(f.device.read_config(0x0e, 1) == 0);
    CHECK(f.device.read_config(0x34, 1) == 0);
    CHECK(f.at(0) == 0x4c544353);
    CHECK(f.at(4) == 1);
}

TEST_CASE("a ring of the doorbell runs the request in the window", "[control]") {
    Fixture f;
    f.window[0x1000] = 0xaa;
    f.window[0x1001] = 0xbb;
    f.request(4, 2);
    f.device.write_port(0xc000, 4, 99);
    CHECK(f.echo.operation == 4);
    CHECK(f.echo.request == std::vector<std::uint8_t>{0xaa, 0xbb});
    CHECK(f.at(0x20) == 0);
    CHECK(f.at(0x24) == 2);
    CHECK(f.window[0x8001] == 0xbb);
}

TEST_CASE("other ports and widths do nothing", "[control]") {
    Fixture f;
    f.request(4, 0);
    f.device.write_port(0xc000, 2, 1);
    f.device.write_port(0xc000, 1, 1);
    f.device.write_port(0xc004, 4, 1);
    CHECK(f.echo.runs == 0);
    CHECK(f.device.read_port(0xc000, 4) == 0);
}

TEST_CASE("a request that is too long is refused unread", "[control]") {
    Fixture f;
    f.request(1, 28 * 1024 + 1);
    f.device.write_port(0xc000, 4, 1);
    CHECK(f.echo.runs == 0);
    CHECK(f.at(0x20) == 2);
    f.request(1, ~0u);
    f.device.write_port(0xc000, 4, 1);
    CHECK(f.echo.runs == 0);
    f.request(1, 28 * 1024);
    f.device.write_port(0xc000, 4, 1);
    CHECK(f.echo.runs == 1);
}

TEST_CASE("the event counter survives a restart of the VM", "[control]") {
    Fixture f;
    f.device.count_event();
    f.device.count_event();
    CHECK(f.at(8) == 2);
    std::ranges::fill(f.window, std::uint8_t{0});
    f.device.reset();
    CHECK(f.at(8) == 2);
    CHECK(f.at(0) == 0x4c544353);
}
