// SPDX-License-Identifier: Apache-2.0
// The agent VM's channel to the hypervisor: a PCI function with a window of plain memory and a doorbell port
// (docs/interfaces/control.md). This class moves requests and responses; what they mean is
// ControlOperations'. Invariant: operation, length and bytes are copied out of the window once, before they
// are looked at; nothing that the hypervisor wrote into the window is ever read back. UNTRUSTED: the window's
// contents, config and port writes.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/devices/bar_registers.hpp"
#include "hypervisor/devices/pci_bus.hpp"

namespace casemate::devices {

enum class ControlStatus : std::uint32_t { ok = 0, unknown_operation = 1, length = 2, refused = 3, busy = 4 };

class ControlOperations {
public:
    struct Reply {
        ControlStatus status = ControlStatus::unknown_operation;
        std::size_t length = 0;
    };
    /// `request` lies in TCB memory; `response` is the window itself: write only.
    virtual Reply run(std::uint32_t operation, ByteView request, ByteSpan response) = 0;

protected:
    ~ControlOperations() = default;
};

class ControlDevice final : public PciFunction, public PortDevice {
public:
    static constexpr std::size_t window_size = 256 * 1024;
    static constexpr std::uint16_t port_count = 16;
    static constexpr unsigned pci_device = 0x1e, pci_function = 0;

    /// `window` is what the guest sees at `window_at`, a multiple of its size; `port` is a multiple of 16.
    ControlDevice(ByteSpan window, GuestPhys window_at, std::uint16_t port, ControlOperations& operations);

    std::uint32_t read_config(std::uint8_t offset, unsigned width) override;
    void write_config(std::uint8_t offset, unsigned width, std::uint32_t value) override;
    std::uint32_t read_port(std::uint16_t port, unsigned width) override;
    void write_port(std::uint16_t port, unsigned width, std::uint32_t value) override;

    /// A gate, device or VM has changed its state.
    void count_event();
    [[nodiscard]] std::uint32_t events() const { return events_; }
    /// The VM starts anew, with a window of zeros.
    void reset();

private:
    static constexpr std::size_t max_request = 28 * 1024;

    void run_request();
    void put(std::size_t offset, std::uint32_t value);

    ByteSpan window_;
    std::uint16_t port_;
    ControlOperations& operations_;
    BarRegisters bars_;
    std::uint16_t command_ = 0;
    std::uint32_t events_ = 0;
    std::array<std::uint8_t, max_request> request_{};
};

} // namespace casemate::devices
