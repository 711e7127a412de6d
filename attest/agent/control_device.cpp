// SPDX-License-Identifier: Apache-2.0
// Implements control_device.hpp.
#include "attest/agent/control_device.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace casemate::agent {
namespace {

constexpr const char* vendor_id = "0xca5e";
constexpr const char* device_id = "0x0001";

constexpr std::size_t window_size = 256 * 1024;
constexpr std::uint32_t magic = 0x4C544353; // "SCTL"
constexpr std::uint32_t version = 1;
constexpr std::size_t magic_at = 0x0;
constexpr std::size_t version_at = 0x4;
constexpr std::size_t event_counter_at = 0x8;
constexpr std::size_t operation_at = 0x10;
constexpr std::size_t request_length_at = 0x14;
constexpr std::size_t status_at = 0x20;
constexpr std::size_t response_length_at = 0x24;
constexpr std::size_t request_at = 0x1000;
constexpr std::size_t response_at = 0x8000;
constexpr std::size_t max_request = 28 * 1024;
constexpr std::size_t max_response = 224 * 1024;

constexpr std::uint32_t unanswered = 0xFFFFFFFF;
constexpr int answer_wait_ms = 2000; // the hypervisor answers before pwrite returns; a test's stand-in may not

Failure<Error> system_error(const std::string& what) { return fail(what + ": " + std::strerror(errno)); }

std::string first_word(const std::filesystem::path& file) {
    std::string word;
    std::ifstream{file} >> word;
    return word;
}

/// The mapping stays when the descriptor is closed.
Outcome<std::uint8_t*> map_window(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return system_error("open " + file.string());
    void* memory = ::mmap(nullptr, window_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const int reason = errno;
    ::close(fd);
    errno = reason;
    if (memory == MAP_FAILED) return system_error("map " + file.string());
    return static_cast<std::uint8_t*>(memory);
}

} // namespace

Outcome<std::filesystem::path> ControlDevice::find(const std::filesystem::path& root) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator{root, failed})
        if (first_word(entry.path() / "vendor") == vendor_id && first_word(entry.path() / "device") == device_id)
            return entry.path();
    return fail("no control device below " + root.string() + (failed ? ": " + failed.message() : ""));
}

Outcome<ControlDevice> ControlDevice::open(const std::filesystem::path& directory) {
    std::ofstream{directory / "enable"} << 1; // decode the BARs; nobody else drives this function
    std::uint8_t* const window = TRY(map_window(directory / "resource0"));
    ControlDevice device{window, ::open((directory / "resource2").c_str(), O_RDWR | O_CLOEXEC)};
    if (device.doorbell_ < 0) return system_error("open " + (directory / "resource2").string());
    if (device.word(magic_at) != magic || device.word(version_at) != version)
        return fail("the control device has an unknown magic or version");
    return device;
}

ControlDevice::ControlDevice(ControlDevice&& other) noexcept
    : window_{std::exchange(other.window_, nullptr)}, doorbell_{std::exchange(other.doorbell_, -1)} {}

ControlDevice::~ControlDevice() {
    if (window_ != nullptr) ::munmap(window_, window_size);
    if (doorbell_ >= 0) ::close(doorbell_);
}

// SAFETY: window words are read and written by the other side; __atomic keeps each access one aligned 32-bit one.
std::uint32_t ControlDevice::word(std::size_t offset) const {
    return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(window_ + offset), __ATOMIC_ACQUIRE);
}
void ControlDevice::set_word(std::size_t offset, std::uint32_t value) {
    __atomic_store_n(reinterpret_cast<std::uint32_t*>(window_ + offset), value, __ATOMIC_RELEASE);
}

std::uint32_t ControlDevice::event_counter() const { return word(event_counter_at); }

Outcome<Done> ControlDevice::ring() {
    const std::uint32_t any = 1;
    if (::pwrite(doorbell_, &any, sizeof any, 0) != sizeof any) return system_error("ring the control device");
    const timespec pause{0, 1'000'000};
    for (int waited = 0; word(status_at) == unanswered; ++waited) {
        if (waited == answer_wait_ms) return fail("the control device does not answer");
        ::nanosleep(&pause, nullptr);
    }
    return Done{};
}

Outcome<ControlResponse> ControlDevice::request(ControlOperation operation, ByteView bytes) {
    if (bytes.size() > max_request) return fail("request too long for the control device");
    if (!bytes.empty()) std::memcpy(window_ + request_at, bytes.data(), bytes.size());
    set_word(operation_at, static_cast<std::uint32_t>(operation));
    set_word(request_length_at, static_cast<std::uint32_t>(bytes.size()));
    set_word(status_at, unanswered);
    TRY(ring());
    const std::size_t length = word(response_length_at);
    if (length > max_response) return fail("the control device's response is too long");
    return ControlResponse{static_cast<ControlStatus>(word(status_at)),
                           {window_ + response_at, window_ + response_at + length}};
}

} // namespace casemate::agent
