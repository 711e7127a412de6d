// SPDX-License-Identifier: Apache-2.0
// The virtual devices that every VM has, and the ports by which it ends itself (ACPI reset and sleep registers).
// reset() puts all of them into power-on state; functions attached to the PCI bus stay attached.
#pragma once

#include "hypervisor/devices/acpi.hpp"
#include "hypervisor/devices/io_apic.hpp"
#include "hypervisor/devices/pci_bus.hpp"
#include "hypervisor/devices/pvclock.hpp"
#include "hypervisor/devices/secret_mailbox.hpp"
#include "hypervisor/devices/uart.hpp"
#include "hypervisor/devices/watchdog.hpp"

namespace casemate::devices {

/// What reset() resets, as it is at one moment; of the same VM.
struct PlatformImage {
    IoApic io_apic;
    Uart console;
    Watchdog watchdog;
    PvClock clock;
};

class PowerPorts final : public PortDevice {
public:
    explicit PowerPorts(PlatformHost& host) : host_{host} {}
    /// That of the snapshot cannot be read: as if nobody were there.
    std::uint32_t read_port(std::uint16_t port, unsigned) override { return port == snapshot_port ? ~0u : 0; }
    void write_port(std::uint16_t port, unsigned width, std::uint32_t value) override;

private:
    PlatformHost& host_;
};

struct Platform {
    explicit Platform(PlatformHost& host) : io_apic{host}, console{host, io_apic}, power{host} {}

    [[nodiscard]] bool register_devices(IoBus& bus);
    void reset(const mm::GuestMemory& memory, std::uint64_t tsc_khz, std::uint64_t now_tsc);
    [[nodiscard]] PlatformImage save() const { return {io_apic, console, watchdog, clock}; }
    void restore(const PlatformImage& image);

    IoApic io_apic;
    Uart console;
    PowerPorts power;
    Watchdog watchdog;
    SecretMailbox mailbox; // never part of an image
    PciBus pci;
    PvClock clock;
    AcpiOptions acpi;
};

} // namespace casemate::devices
