// SPDX-License-Identifier: Apache-2.0
// QEMU's educational device, driven from user space through sysfs: a function with DMA to any address and with MSI [QEMU docs/specs/edu].
// Every wait is bounded. One transfer takes 100 ms and moves at most `most` bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace casemate::hostile {

class EduDevice {
public:
    static constexpr std::size_t most = 2048; // QEMU ends itself when a transfer reaches the end of the 4 KiB buffer

    /// `directory`: the function's folder in sysfs. Decoding and bus master are on afterwards.
    static std::optional<EduDevice> open(const std::string& directory);

    /// Between the device's buffer and a bus address; false if the device did not finish.
    bool fetch(std::uint64_t bus_address, std::size_t bytes);
    bool store(std::uint64_t bus_address, std::size_t bytes);

    /// Programs the MSI capability and switches it on; false if there is none.
    bool aim_msi(std::uint64_t address, std::uint16_t data);
    void raise_interrupt();

private:
    EduDevice(int config, volatile std::uint8_t* registers) : config_{config}, registers_{registers} {}
    bool transfer(std::uint64_t from, std::uint64_t to, std::size_t bytes, std::uint64_t command);
    [[nodiscard]] std::uint32_t read_config(int offset, int width) const;
    void write_config(int offset, std::uint32_t value, int width) const;
    void write32(unsigned offset, std::uint32_t value);
    void write64(unsigned offset, std::uint64_t value);

    int config_;
    volatile std::uint8_t* registers_;
};

/// Memory of our own, whose address on the bus (the VM's physical address) is known.
struct OwnPage {
    std::span<std::uint8_t> bytes;
    std::uint64_t bus_address = 0;
};
std::optional<OwnPage> own_page();

} // namespace casemate::hostile
