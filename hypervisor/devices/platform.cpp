// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/platform.hpp"

#include <memory>

namespace casemate::devices {
namespace {

constexpr std::uint32_t sleep_enable = 1 << 5; // SLP_EN of the sleep control register [ACPI 4.8.3.7]

} // namespace

void PowerPorts::write_port(std::uint16_t port, unsigned, std::uint32_t value) {
    if (port == acpi_reset_port) host_.power(PowerRequest::reset);
    if (port == acpi_sleep_control_port && (value & sleep_enable) != 0) host_.power(PowerRequest::power_off);
    if (port == snapshot_port) host_.ask_snapshot();
}

bool Platform::register_devices(IoBus& bus) {
    return bus.ports.add(Uart::first_port, Uart::port_count, console) &&
           bus.ports.add(PciBus::first_port, PciBus::port_count, pci) &&
           bus.ports.add(acpi_reset_port, 3, power) && bus.ports.add(snapshot_port, 1, power) &&
           bus.ports.add(Watchdog::first_port, Watchdog::port_count, watchdog) && bus.ports.add(SecretMailbox::port, 1, mailbox) &&
           bus.memory.add(IoApic::base, IoApic::size, io_apic) && clock.register_msrs(bus);
}

void Platform::reset(const mm::GuestMemory& memory, std::uint64_t tsc_khz, std::uint64_t now_tsc) {
    io_apic.reset();
    console.reset();
    watchdog.reset();
    clock.reset(memory, tsc_khz, now_tsc);
}

/// Some refer to the VM, so they cannot be assigned: each is made anew in its place.
void Platform::restore(const PlatformImage& image) {
    const auto put_back = [](auto& device, const auto& as_it_was) {
        std::destroy_at(&device);
        std::construct_at(&device, as_it_was);
    };
    put_back(io_apic, image.io_apic);
    put_back(console, image.console);
    put_back(watchdog, image.watchdog);
    put_back(clock, image.clock);
    watchdog.begin_anew();
}

} // namespace casemate::devices
