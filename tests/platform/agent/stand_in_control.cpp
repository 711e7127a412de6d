// SPDX-License-Identifier: Apache-2.0
// StandInHypervisor's control device: answers the doorbell of docs/interfaces/control.md from a directory of files.
#include "hypervisor/base/cbor_writer.hpp"
#include "tests/platform/agent/stand_in_hypervisor.hpp"

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>

namespace casemate::agent_test {
namespace {

constexpr std::size_t window_size = 256 * 1024;
constexpr std::uint32_t status_ok = 0;
constexpr std::uint32_t status_unknown = 1;

template <typename Fill>
Bytes cbor(Fill fill) {
    Bytes buffer(64 * 1024);
    CborWriter out{buffer};
    fill(out);
    if (!out.ok()) std::abort();
    buffer.resize(out.size());
    return buffer;
}

void write_u64(CborWriter& out, std::int64_t key, std::uint64_t value) {
    out.key(key);
    out.u64(value);
}

} // namespace

void StandInHypervisor::make_control_directory() const {
    std::filesystem::create_directories(control_directory());
    std::ofstream{control_directory() / "resource2"} << std::string(16, '\0');
    std::ofstream{control_directory() / "resource0"} << std::string(window_size, '\0');
}

void StandInHypervisor::serve() { thread_ = std::thread{[this] { loop(); }}; }

void StandInHypervisor::loop() {
    const int file = ::open((control_directory() / "resource0").c_str(), O_RDWR | O_CLOEXEC);
    const int bell = ::open((control_directory() / "resource2").c_str(), O_RDWR | O_CLOEXEC);
    auto* const window =
        static_cast<std::uint8_t*>(::mmap(nullptr, window_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    const std::uint32_t head[3] = {0x4C544353, 1, 1};
    std::memcpy(window, head, sizeof head);
    while (!stop_) {
        std::uint32_t rung = 0;
        if (::pread(bell, &rung, sizeof rung, 0) != sizeof rung || rung == 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
            continue;
        }
        rung = 0;
        (void)!::pwrite(bell, &rung, sizeof rung, 0);
        std::uint32_t request[2]; // operation, length
        std::memcpy(request, window + 0x10, sizeof request);
        const auto [status, bytes] = answer(request[0], {window + 0x1000, window + 0x1000 + request[1]});
        std::memcpy(window + 0x8000, bytes.data(), bytes.size());
        const auto length = static_cast<std::uint32_t>(bytes.size());
        std::memcpy(window + 0x24, &length, sizeof length);
        __atomic_store_n(reinterpret_cast<std::uint32_t*>(window + 0x20), status, __ATOMIC_RELEASE);
    }
    ::munmap(window, window_size);
    ::close(file);
    ::close(bell);
}

std::pair<std::uint32_t, Bytes> StandInHypervisor::answer(std::uint32_t operation, const Bytes& request) {
    switch (operation) {
    case 1: return {status_ok, info()};
    case 2: {
        const std::size_t offset = LittleEndianReader{request}.u32();
        return {status_ok, {log_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, log_.size())), log_.end()}};
    }
    case 3: return {status_ok, gates()};
    case 4: return {status_ok, submit(request)};
    case 5: return {status_ok, status()};
    case 6: return {status_ok, cbor([](CborWriter& out) { out.array(0); })};
    default: return {status_unknown, {}};
    }
}

Bytes StandInHypervisor::info() const {
    return cbor([&](CborWriter& out) {
        out.map(6);
        out.key(0);
        out.bytes(custody_->launch().id);
        write_u64(out, 1, policy_.epoch);
        write_u64(out, 2, log_.size());
        write_u64(out, 3, static_cast<std::uint64_t>(custody_->launch().kind));
        write_u64(out, 4, 1);
        out.key(5);
        out.array(2);
        out.u64(11);
        out.u64(12);
    });
}

Bytes StandInHypervisor::gates() const {
    const auto open = open_gates();
    return cbor([&](CborWriter& out) {
        out.array(open.size());
        for (const measure::GateRequest& request : open) {
            Bytes buffer(measure::max_gate_request);
            out.bytes(measure::encode(buffer, request));
        }
    });
}

Bytes StandInHypervisor::status() const {
    return cbor([&](CborWriter& out) {
        out.map(3);
        write_u64(out, 0, 1000);
        out.key(1);
        out.array(0);
        out.key(2);
        out.array(0);
    });
}

Bytes StandInHypervisor::submit(const Bytes& message) {
    const auto key = measure::P256PublicKey::create(policy_.grant_key).value();
    const auto verified = grant::verify(message, key);
    const grant::GrantError error = verified.ok() ? grant::GrantError::none : verified.error();
    if (verified.ok()) {
        const std::lock_guard lock{mutex_};
        accepted_.push_back(verified.value().claims());
    } else {
        ++refused_;
    }
    return cbor([&](CborWriter& out) {
        out.map(1);
        write_u64(out, 0, static_cast<std::uint64_t>(error));
    });
}

std::vector<grant::Claims> StandInHypervisor::accepted() const {
    const std::lock_guard lock{mutex_};
    return accepted_;
}

} // namespace casemate::agent_test
