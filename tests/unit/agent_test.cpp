// SPDX-License-Identifier: Apache-2.0
// The agent's parsers of what the hypervisor and the verifier say, its schedule, its control device against a
// directory that stands in for sysfs, and its line against a socket.
#include "attest/agent/control_device.hpp"
#include "attest/agent/control_messages.hpp"
#include "attest/agent/hypervisor_client.hpp"
#include "attest/agent/json_fields.hpp"
#include "attest/agent/operator_orders.hpp"
#include "attest/agent/report.hpp"
#include "attest/agent/schedule.hpp"
#include "attest/agent/transport.hpp"
#include "attest/relay/encoding.hpp"
#include "hypervisor/base/cbor_writer.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace casemate;
using namespace casemate::agent;
using namespace std::chrono_literals;

namespace {

template <typename Fill>
Bytes cbor(Fill fill) {
    Bytes buffer(4096);
    CborWriter out{buffer};
    fill(out);
    REQUIRE(out.ok());
    buffer.resize(out.size());
    return buffer;
}

Bytes filled(std::size_t size, std::uint8_t value) { return Bytes(size, value); }

void write_device(CborWriter& out) {
    out.array(4);
    for (const unsigned part : {0, 0, 3, 0}) out.u64(part);
}

Bytes info_bytes() {
    return cbor([](CborWriter& out) {
        out.map(6);
        out.key(0), out.bytes(filled(32, 1));
        out.key(1), out.u64(7);
        out.key(2), out.u64(4321);
        out.key(3), out.u64(1);
        out.key(4), out.u64(9);
        out.key(5), out.array(2), out.u64(11), out.u64(12);
    });
}

Bytes leases_bytes() {
    return cbor([](CborWriter& out) {
        out.array(1), out.map(5);
        out.key(0), out.bytes(filled(16, 2));
        out.key(1), write_device(out);
        out.key(2), out.bytes(filled(32, 3));
        out.key(3), out.bytes(filled(32, 4));
        out.key(4), out.u64(60000);
    });
}

void write_vm(CborWriter& out) {
    out.map(9);
    out.key(0), out.text("net0");
    out.key(1), out.bytes(filled(32, 3));
    for (const int key : {2, 3, 4, 5}) out.key(key), out.u64(static_cast<unsigned>(key));
    out.key(6), out.array(1), out.array(2), out.text("msr"), out.u64(99);
    out.key(7), out.u64(1);
    out.key(8), out.u64(250000);
}

void write_device_status(CborWriter& out) {
    out.map(7);
    out.key(0), out.map(6), out.key(0), write_device(out);
    for (const int key : {1, 2, 3, 4, 5}) out.key(key), out.u64(static_cast<unsigned>(100 + key));
    out.key(1), out.u64(2);
    out.key(2), out.bytes(filled(32, 3));
    out.key(3), out.bytes(filled(16, 2));
    out.key(4), out.u64(60000);
    out.key(5), out.u64(0);
    out.key(6), out.bytes({});
}

void write_link_end(CborWriter& out, const char* vm) {
    out.map(8);
    out.key(0), out.text(vm);
    out.key(1), out.u64(1);
    for (const int key : {2, 3, 4, 5, 6}) out.key(key), out.u64(static_cast<unsigned>(200 + key));
    out.key(7), out.array(2), out.u64(8), out.u64(9);
}

Bytes status_bytes() {
    return cbor([](CborWriter& out) {
        out.map(4);
        out.key(0), out.u64(1234);
        out.key(1), out.array(1), write_vm(out);
        out.key(2), out.array(1), write_device_status(out);
        out.key(3), out.array(1), out.array(2), write_link_end(out, "net0"), write_link_end(out, "client0");
    });
}

Bytes gates_bytes() {
    return cbor([](CborWriter& out) { out.array(2), out.bytes(filled(5, 1)), out.bytes(filled(6, 2)); });
}

/// No prefix of a message, and no message with a byte behind it, may pass.
template <typename Parse>
void refuses_other_lengths(const Bytes& message, Parse parse) {
    for (std::size_t size = 0; size < message.size(); ++size)
        REQUIRE_FALSE(parse(ByteView{message}.first(size)).ok());
    Bytes longer = message;
    longer.push_back(0);
    REQUIRE_FALSE(parse(longer).ok());
}

class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "casemate-agent-test-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~ScratchDirectory() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

/// A directory like a PCI function in sysfs; `answers` decides whether somebody reacts to the doorbell.
class StandInDevice {
public:
    explicit StandInDevice(bool answers) {
        std::filesystem::create_directories(directory());
        put("vendor", "0xca5e\n");
        put("device", "0x0001\n");
        put("resource0", "");
        put("resource2", std::string(16, '\0'));
        std::filesystem::resize_file(directory() / "resource0", 256 * 1024);
        std::fstream file{directory() / "resource0", std::ios::in | std::ios::out | std::ios::binary};
        const std::uint32_t head[3] = {0x4C544353, 1, 42};
        file.write(reinterpret_cast<const char*>(head), sizeof head);
        file.close();
        if (answers) thread_ = std::thread{[this] { serve(); }};
    }
    ~StandInDevice() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] std::filesystem::path directory() const { return scratch_.path / "0000:00:1e.0"; }
    [[nodiscard]] std::filesystem::path root() const { return scratch_.path; }
    std::uint32_t response_length = 0; // when not 0: claims this length

private:
    void put(const char* name, const std::string& text) { std::ofstream{directory() / name} << text; }

    /// Answers each ring with the request's bytes reversed and status 0.
    void serve() {
        const int window_file = ::open((directory() / "resource0").c_str(), O_RDWR);
        const int bell = ::open((directory() / "resource2").c_str(), O_RDWR);
        auto* window = static_cast<std::uint8_t*>(
            ::mmap(nullptr, 256 * 1024, PROT_READ | PROT_WRITE, MAP_SHARED, window_file, 0));
        while (!stop_) {
            std::uint32_t rung = 0;
            if (::pread(bell, &rung, sizeof rung, 0) == sizeof rung && rung != 0) answer(window, bell);
            std::this_thread::sleep_for(1ms);
        }
        ::munmap(window, 256 * 1024);
        ::close(window_file);
        ::close(bell);
    }
    void answer(std::uint8_t* window, int bell) {
        const std::uint32_t zero = 0;
        (void)!::pwrite(bell, &zero, sizeof zero, 0);
        std::uint32_t length = 0;
        std::memcpy(&length, window + 0x14, sizeof length);
        std::reverse_copy(window + 0x1000, window + 0x1000 + length, window + 0x8000);
        if (response_length != 0) length = response_length;
        std::memcpy(window + 0x24, &length, sizeof length);
        __atomic_store_n(reinterpret_cast<std::uint32_t*>(window + 0x20), 0U, __ATOMIC_RELEASE);
    }

    ScratchDirectory scratch_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// The relay as a thread on a UNIX socket: hands each request to `react`, which returns the bytes to send.
class StandInRelay {
public:
    explicit StandInRelay(std::function<Bytes(const Json&)> react) : react_{std::move(react)} {
        listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path().c_str());
        REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(listener_, 1) == 0);
        thread_ = std::thread{[this] { serve(); }};
    }
    ~StandInRelay() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    [[nodiscard]] std::string path() const { return (scratch_.path / "line").string(); }

    static Bytes frame(const std::string& text) {
        Bytes bytes(relay::max_frame_size(text.size()));
        const auto size = relay::encode_frame({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, bytes);
        bytes.resize(size.value());
        return bytes;
    }

private:
    void serve() {
        const int fd = ::accept(listener_, nullptr, nullptr);
        Bytes buffer(relay::max_frame_size(relay::max_payload));
        relay::FrameReceiver receiver{buffer};
        std::uint8_t byte = 0;
        while (fd >= 0 && ::read(fd, &byte, 1) == 1) {
            const auto frame = receiver.push(byte);
            if (!frame || !frame->ok()) continue;
            const Bytes answer = react_(Json::parse(frame->value().begin(), frame->value().end()));
            (void)!::write(fd, answer.data(), answer.size());
        }
        ::close(fd);
    }

    ScratchDirectory scratch_;
    std::function<Bytes(const Json&)> react_;
    int listener_ = -1;
    std::thread thread_;
};

Bytes joined(const Bytes& a, const Bytes& b) {
    Bytes all = a;
    all.insert(all.end(), b.begin(), b.end());
    return all;
}

} // namespace

TEST_CASE("the hypervisor's info is read and every other length is refused", "[agent]") {
    const auto info = parse_info(info_bytes());
    REQUIRE(info.ok());
    CHECK(info.value().launch_id == filled(32, 1));
    CHECK(info.value().log_bytes == 4321);
    CHECK(info.value().banks == std::vector<std::uint16_t>{11, 12});
    refuses_other_lengths(info_bytes(), parse_info);
}

TEST_CASE("leases are read and every other length is refused", "[agent]") {
    const auto leases = parse_leases(leases_bytes());
    REQUIRE(leases.ok());
    REQUIRE(leases.value().size() == 1);
    CHECK(leases.value()[0].device == DeviceAddress{0, 0, 3, 0});
    CHECK(leases.value()[0].ms_left == 60000);
    refuses_other_lengths(leases_bytes(), parse_leases);
}

TEST_CASE("gates are read unopened and every other length is refused", "[agent]") {
    const auto gates = parse_gates(gates_bytes());
    REQUIRE(gates.ok());
    CHECK(gates.value() == std::vector<Bytes>{filled(5, 1), filled(6, 2)});
    refuses_other_lengths(gates_bytes(), parse_gates);
}

TEST_CASE("the status becomes the report of the management host", "[agent]") {
    const auto status = parse_status(status_bytes());
    REQUIRE(status.ok());
    refuses_other_lengths(status_bytes(), parse_status);
    const Json report = report_of(parse_info(info_bytes()).value(), status.value());
    CHECK(report["uptime_ms"] == 1234);
    CHECK(report["vms"][0]["name"] == "net0");
    CHECK(report["vms"][0]["exits"]["msr"] == 99);
    CHECK(report["vms"][0]["cpu_us"] == 250000);
    CHECK(report["devices"][0]["device"] == Json({0, 0, 3, 0}));
    CHECK(report["devices"][0]["vendor"] == 101);
    CHECK(report["devices"][0]["lease_ms_left"] == 60000);
    CHECK(report["devices"][0]["tainted_by"] == "");
    CHECK(report["launch"]["banks"] == Json({11, 12}));
    CHECK(report["link_ends"].size() == 2);
    CHECK(report["link_ends"][1] == Json::parse(R"({"vm": "client0", "peer": "net0", "running": true, "error": 202,
        "counts": {"packets": 203, "bytes": 204, "notifications": 205, "interrupts": 206}, "drops": [8, 9]})"));
}

TEST_CASE("base64 has the values of RFC 4648 and one encoding each", "[agent]") {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},  {"foob", "Zm9vYg=="},  {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, text] : vectors) {
        const Bytes bytes{plain, plain + std::strlen(plain)};
        CHECK(relay::to_base64(bytes) == text);
        CHECK(relay::from_base64(text) == bytes);
    }
    for (const char* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-v"})
        CHECK_FALSE(relay::from_base64(bad).has_value());
    CHECK(relay::to_hex(Bytes{0, 0xAB, 0xFF}) == "00abff");
}

TEST_CASE("an answer of the verifier is believed only in its proper shape", "[agent]") {
    const Json good{{"text", "a"}, {"bytes", "Zm9v"}, {"list", {"Zm9v", "Zg=="}}, {"next", 5U}};
    CHECK(text_field(good, "text").value() == "a");
    CHECK(base64_field(good, "bytes").value() == Bytes{'f', 'o', 'o'});
    CHECK(base64_list_field(good, "list").value().size() == 2);
    CHECK(base64_list_field(good, "absent").value().empty());
    CHECK(number_field_or(good, "next", 1) == 5);
    const Json bad{{"text", 1}, {"bytes", "Zm9"}, {"list", {1}}, {"next", -5}};
    CHECK_FALSE(text_field(bad, "text").ok());
    CHECK_FALSE(text_field(Json::array(), "text").ok());
    CHECK_FALSE(base64_field(bad, "bytes").ok());
    CHECK_FALSE(base64_list_field(bad, "list").ok());
    CHECK_FALSE(base64_list_field(Json{{"list", "Zm9v"}}, "list").ok());
    CHECK(number_field_or(bad, "next", 1) == 1);
    CHECK_FALSE(body_of({404, {{"error", {{"code", "unknown"}}}}}).ok());
    CHECK_FALSE(body_of({0, nullptr}).ok());
}

TEST_CASE("a job that fails comes back later and later, up to its limit, and soon again after a success", "[agent]") {
    Job job{2s};
    const auto start = Job::Clock::time_point{} + 1h;
    CHECK(job.due(start));
    std::vector<std::chrono::milliseconds> pauses;
    for (int i = 0; i < 6; ++i) {
        job.failed(start);
        pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(job.at() - start));
    }
    CHECK(pauses == std::vector<std::chrono::milliseconds>{250ms, 500ms, 1000ms, 2000ms, 2000ms, 2000ms});
    job.succeeded(start, 10s);
    CHECK_FALSE(job.due(start + 9s));
    CHECK(job.due(start + 10s));
    job.failed(start);
    CHECK(job.at() - start == 250ms);
    job.run_now();
    CHECK(job.due(start));
}

TEST_CASE("the control device is found by its ids and answers a request", "[agent]") {
    StandInDevice stand_in{true};
    const auto found = ControlDevice::find(stand_in.root());
    REQUIRE(found.ok());
    CHECK(found.value() == stand_in.directory());
    auto device = ControlDevice::open(found.value());
    REQUIRE(device.ok());
    CHECK(device.value().event_counter() == 42);
    for (int i = 0; i < 3; ++i) {
        const auto response = device.value().request(ControlOperation::submit, Bytes{1, 2, 3});
        REQUIRE(response.ok());
        CHECK(response.value().status == ControlStatus::ok);
        CHECK(response.value().bytes == Bytes{3, 2, 1});
    }
    CHECK_FALSE(device.value().request(ControlOperation::submit, filled(28 * 1024 + 1, 0)).ok());
}

TEST_CASE("a control device that nobody answers is noticed", "[agent]") {
    StandInDevice stand_in{false};
    auto device = ControlDevice::open(stand_in.directory());
    REQUIRE(device.ok());
    CHECK_FALSE(device.value().request(ControlOperation::info, {}).ok());
}

TEST_CASE("a response longer than the window is refused", "[agent]") {
    StandInDevice stand_in{true};
    stand_in.response_length = 224 * 1024 + 1;
    auto device = ControlDevice::open(stand_in.directory());
    REQUIRE(device.ok());
    CHECK_FALSE(device.value().request(ControlOperation::info, {}).ok());
}

TEST_CASE("without a control device there is a reason", "[agent]") {
    ScratchDirectory empty;
    CHECK_FALSE(ControlDevice::find(empty.path).ok());
    CHECK_FALSE(ControlDevice::find(empty.path / "absent").ok());
    CHECK_FALSE(ControlDevice::open(empty.path).ok());
}

TEST_CASE("a request crosses the line and its answer comes back, past noise and foreign answers", "[agent]") {
    StandInRelay relay_thread{[](const Json& request) {
        CHECK(request["token"] == "secret");
        const Json foreign{{"id", request["id"].get<std::uint64_t>() - 1}, {"status", 500}, {"body", nullptr}};
        const Json answer{{"id", request["id"]}, {"status", 200}, {"body", {{"path", request["path"]}}}};
        const Bytes noise = {'n', 'o', 'i', 's', 'e', 0};
        return joined(noise, joined(StandInRelay::frame(foreign.dump()),
                                    joined(StandInRelay::frame("not JSON"), StandInRelay::frame(answer.dump()))));
    }};
    auto transport = StreamTransport::open(relay_thread.path(), 5s);
    REQUIRE(transport.ok());
    for (int i = 0; i < 2; ++i) {
        const auto response = transport.value().exchange({"POST", "/v1/x", "secret", Json::object()});
        REQUIRE(response.ok());
        CHECK(response.value().status == 200);
        CHECK(response.value().body["path"] == "/v1/x");
    }
}

TEST_CASE("a silent relay costs no more than the patience", "[agent]") {
    StandInRelay relay_thread{[](const Json&) { return Bytes{}; }};
    auto transport = StreamTransport::open(relay_thread.path(), 200ms);
    REQUIRE(transport.ok());
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(transport.value().exchange({"GET", "/v1/x", "", nullptr}).ok());
    CHECK(std::chrono::steady_clock::now() - start < 5s);
}

namespace {

/// A hypervisor that takes every order but those about the agent.
struct Ordered final : Control {
    std::vector<Bytes> requests{};
    Outcome<ControlResponse> request(ControlOperation operation, ByteView bytes) override {
        REQUIRE(operation == ControlOperation::order);
        requests.emplace_back(bytes.begin(), bytes.end());
        const bool agent = bytes.size() == 4 + 5 && bytes[4] == 'a';
        return ControlResponse{agent ? ControlStatus::refused : ControlStatus::ok, cbor([&](CborWriter& out) {
                                   out.map(1);
                                   out.key(0), out.u64(agent ? 3 : 0);
                               })};
    }
    [[nodiscard]] std::uint32_t event_counter() const override { return 0; }
};

Json order(std::uint64_t id, const char* vm, const char* what) { return {{"id", id}, {"vm", vm}, {"order", what}}; }

} // namespace

TEST_CASE("an operator's order goes to the hypervisor once and its result is kept", "[agent]") {
    Ordered control;
    HypervisorClient hypervisor{control};
    OperatorOrders orders;
    const Json answer = {{"orders", {order(1, "disk0", "stop"), order(2, "agent", "restart"), order(3, "net0", "dance")}}};
    CHECK(orders.obey(answer, hypervisor).value());
    CHECK(control.requests == std::vector<Bytes>{{1, 0, 0, 0, 'd', 'i', 's', 'k', '0'}, {3, 0, 0, 0, 'a', 'g', 'e', 'n', 't'},
                                                 {0, 0, 0, 0, 'n', 'e', 't', '0'}});
    CHECK(orders.results() == Json::parse(R"([{"id":1,"error":0},{"id":2,"error":3},{"id":3,"error":0}])"));
    CHECK_FALSE(orders.obey(answer, hypervisor).value());
    CHECK(control.requests.size() == 3);
    for (std::uint64_t id = 4; id < 40; ++id) CHECK(orders.obey({{"orders", {order(id, "net0", "start")}}}, hypervisor).value());
    CHECK(orders.results().size() == OperatorOrders::max_results);
    CHECK(orders.results().back()["id"] == 39);
}

TEST_CASE("an answer without orders, or with malformed ones, orders nothing", "[agent]") {
    Ordered control;
    HypervisorClient hypervisor{control};
    OperatorOrders orders;
    for (const char* text : {"{}", "null", "[]", "7", R"({"orders":null})", R"({"orders":[]})", R"({"orders":{}})"})
        CHECK_FALSE(orders.obey(Json::parse(text), hypervisor).value());
    for (const char* text : {R"({"orders":7})", R"({"orders":[7]})", R"({"orders":[{"id":1}]})", R"({"orders":[{"id":1,"vm":"a","order":1}]})"})
        CHECK_FALSE(orders.obey(Json::parse(text), hypervisor).ok());
    CHECK_FALSE(orders.obey(Json::parse(R"({"orders":[{"id":-1,"vm":"net0","order":"stop"}]})"), hypervisor).value());
    CHECK(control.requests.empty());
}

namespace {

/// A hypervisor with so long a firmware log, handed out in parts.
struct WithFirmwareLog final : Control {
    explicit WithFirmwareLog(std::size_t size) : log(size, 0x5a) {}
    Outcome<ControlResponse> request(ControlOperation operation, ByteView bytes) override {
        REQUIRE(operation == ControlOperation::read_firmware_log);
        const std::size_t offset = LittleEndianReader{bytes}.u32();
        REQUIRE(offset <= log.size());
        const std::size_t end = std::min<std::size_t>(log.size(), offset + 1000);
        return ControlResponse{ControlStatus::ok, Bytes(log.begin() + static_cast<std::ptrdiff_t>(offset), log.begin() + static_cast<std::ptrdiff_t>(end))};
    }
    [[nodiscard]] std::uint32_t event_counter() const override { return 0; }
    Bytes log;
};

} // namespace

TEST_CASE("the firmware's log is read to its end, and one without end is refused", "[agent]") {
    for (const std::size_t size : {0, 1, 999, 1000, 1001, 30'000}) {
        WithFirmwareLog control{size};
        CHECK(HypervisorClient{control}.firmware_log().value() == control.log);
    }
    WithFirmwareLog endless{1 << 20};
    CHECK_FALSE(HypervisorClient{endless}.firmware_log().ok());
}
