// SPDX-License-Identifier: Apache-2.0
// One end of a link, as a VM sees it: a virtio-net PCI function with fixed base addresses (docs/interfaces/vlink.md).
//   BAR 0, memory: registers, and the MSI-X table. Set-up only: each access is an exit and an instruction decoded.
//   BAR 1, ports: notifications, because an OUT is the cheapest exit.
// Every access takes the link's lock: the other VM's core reads the same state. Called on the VM's own core only.
#pragma once

#include "hypervisor/devices/bar_registers.hpp"
#include "hypervisor/devices/pci_bus.hpp"
#include "hypervisor/vlink/virtio_net.hpp"

#include <atomic>

namespace casemate::vlink {

class Link;

class End final : public devices::PciFunction, public devices::MemoryDevice, public devices::PortDevice {
public:
    /// For the VM's end number `slot`, below max_slots; inside the windows that its ACPI announces.
    static constexpr unsigned max_slots = 4, first_pci_device = 0x18;
    static constexpr std::uint64_t first_registers = 0xd010'0000, registers_size = 0x1000;
    static constexpr std::uint16_t first_port = 0xc040, port_count = 16;

    struct Owner {
        EndHost& host;
        const mm::GuestMemory& memory;
        unsigned slot = 0;
    };

    End(Link& link, unsigned side, const Owner& owner, const MacAddress& mac);

    /// While the VM is built. False if something else is there.
    [[nodiscard]] bool attach(devices::PciBus& pci, devices::IoBus& bus);
    /// Power-on state: the VM's memory is not touched any more when this returns. Before it is wiped.
    void reset();
    /// Goes on with what was left for lack of budget, with a sender that need not notify, or because the other end went away.
    void service();
    // ORDER: acquire, with the release in ask_service(): only this flag crosses cores outside the lock.
    [[nodiscard]] bool has_work() const { return work_.load(std::memory_order_acquire); }

    std::uint32_t read_config(std::uint8_t offset, unsigned width) override;
    void write_config(std::uint8_t offset, unsigned width, std::uint32_t value) override;
    [[nodiscard]] bool in_use() const override { return command_ != 0; }
    std::uint64_t read_memory(std::uint64_t offset, unsigned width) override;
    void write_memory(std::uint64_t offset, unsigned width, std::uint64_t value) override;
    std::uint32_t read_port(std::uint16_t, unsigned) override { return 0; }
    void write_port(std::uint16_t port, unsigned width, std::uint32_t value) override;

    // --- for the link, under its lock
    [[nodiscard]] VirtioNet& net() { return net_; }
    void ask_service();
    void ask_service_soon();

private:
    void write_registers(std::uint64_t offset, unsigned width, std::uint32_t value);

    Link& link_;
    const unsigned side_, slot_;
    EndHost& host_;
    Messages messages_;
    VirtioNet net_;
    devices::BarRegisters bars_;
    std::uint16_t command_ = 0;
    std::atomic<bool> work_{false};
};

} // namespace casemate::vlink
