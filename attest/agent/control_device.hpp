// SPDX-License-Identifier: Apache-2.0
// The control device of docs/interfaces/control.md as a user-space program sees it: the window by mmap of
// `resource0`, the doorbell by pwrite on `resource2`.
// Invariant: one request at a time; a response's length is checked against the window before a byte is used.
// Who calls it: protocol.cpp through Control, main.cpp opens it.
#pragma once

#include "attest/agent/error.hpp"

#include <cstdint>
#include <filesystem>

namespace casemate::agent {

enum class ControlOperation : std::uint32_t { info = 1, read_log = 2, gates = 3, submit = 4, status = 5, leases = 6, order = 7, secret = 8, bootstrap = 9, read_firmware_log = 10 };
enum class ControlStatus : std::uint32_t { ok = 0, unknown_operation = 1, length = 2, refused = 3, busy = 4 };

struct ControlResponse {
    ControlStatus status = ControlStatus::ok;
    Bytes bytes{};
};

/// The seam of the tests: the hypervisor as one function.
class Control {
public:
    virtual ~Control() = default;
    virtual Outcome<ControlResponse> request(ControlOperation operation, ByteView bytes) = 0;
    /// Changes when any gate, device or VM changes state. No exit.
    [[nodiscard]] virtual std::uint32_t event_counter() const = 0;
};

class ControlDevice final : public Control {
public:
    /// The directory of the PCI function below `root` (sysfs: /sys/bus/pci/devices) with our vendor and device id.
    static Outcome<std::filesystem::path> find(const std::filesystem::path& root);
    static Outcome<ControlDevice> open(const std::filesystem::path& directory);

    ControlDevice(ControlDevice&& other) noexcept;
    ControlDevice& operator=(ControlDevice&&) = delete;
    ~ControlDevice() override;

    Outcome<ControlResponse> request(ControlOperation operation, ByteView bytes) override;
    [[nodiscard]] std::uint32_t event_counter() const override;

private:
    ControlDevice(std::uint8_t* window, int doorbell) : window_{window}, doorbell_{doorbell} {}
    Outcome<Done> ring();
    [[nodiscard]] std::uint32_t word(std::size_t offset) const;
    void set_word(std::size_t offset, std::uint32_t value);

    std::uint8_t* window_;
    int doorbell_;
};

} // namespace casemate::agent
