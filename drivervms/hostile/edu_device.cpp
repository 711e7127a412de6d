// SPDX-License-Identifier: Apache-2.0
#include "drivervms/hostile/edu_device.hpp"

#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace casemate::hostile {

namespace {

// Registers in BAR 0, and the buffer's address as the device's DMA engine sees it.
constexpr unsigned reg_identity = 0x00, reg_raise = 0x60, reg_acknowledge = 0x64, reg_from = 0x80, reg_to = 0x88,
                   reg_count = 0x90, reg_command = 0x98;
constexpr std::uint64_t buffer = 0x40000, command_run = 1, command_to_memory = 2;
constexpr std::uint32_t identity = 0x010000ed;
constexpr std::size_t window = 1 << 20;
// Configuration space [PCI 3.0 6.1, 6.8].
constexpr int command = 4, capability_pointer = 0x34, capability_msi = 5;
constexpr std::uint32_t command_memory_and_master = 6;
constexpr std::uint16_t msi_enable = 1, msi_wide = 1 << 7;

bool write_text(const std::string& file, const char* text) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    const bool good = fd >= 0 && write(fd, text, std::strlen(text)) > 0;
    if (fd >= 0) close(fd);
    return good;
}

} // namespace

std::optional<EduDevice> EduDevice::open(const std::string& directory) {
    if (!write_text(directory + "/enable", "1")) return std::nullopt;
    const int config = ::open((directory + "/config").c_str(), O_RDWR | O_CLOEXEC);
    const int bar = ::open((directory + "/resource0").c_str(), O_RDWR | O_SYNC | O_CLOEXEC);
    void* const at = mmap(nullptr, window, PROT_READ | PROT_WRITE, MAP_SHARED, bar, 0);
    if (config < 0 || bar < 0 || at == MAP_FAILED) return std::nullopt;
    EduDevice device{config, static_cast<volatile std::uint8_t*>(at)};
    device.write_config(command, device.read_config(command, 2) | command_memory_and_master, 2);
    if (*reinterpret_cast<volatile std::uint32_t*>(device.registers_ + reg_identity) != identity) return std::nullopt;
    return device;
}

void EduDevice::write32(unsigned offset, std::uint32_t value) {
    *reinterpret_cast<volatile std::uint32_t*>(registers_ + offset) = value;
}
void EduDevice::write64(unsigned offset, std::uint64_t value) {
    *reinterpret_cast<volatile std::uint64_t*>(registers_ + offset) = value;
}

std::uint32_t EduDevice::read_config(int offset, int width) const {
    std::uint32_t value = 0;
    return pread(config_, &value, static_cast<std::size_t>(width), offset) == width ? value : 0;
}
void EduDevice::write_config(int offset, std::uint32_t value, int width) const {
    (void)!pwrite(config_, &value, static_cast<std::size_t>(width), offset);
}

bool EduDevice::transfer(std::uint64_t from, std::uint64_t to, std::size_t bytes, std::uint64_t direction) {
    write64(reg_from, from);
    write64(reg_to, to);
    write64(reg_count, bytes);
    write64(reg_command, direction | command_run);
    for (int tries = 0; tries < 2000; ++tries) {
        if ((*reinterpret_cast<volatile std::uint64_t*>(registers_ + reg_command) & command_run) == 0) return true;
        usleep(5000);
    }
    return false;
}

bool EduDevice::fetch(std::uint64_t bus_address, std::size_t bytes) { return transfer(bus_address, buffer, bytes, 0); }
bool EduDevice::store(std::uint64_t bus_address, std::size_t bytes) {
    return transfer(buffer, bus_address, bytes, command_to_memory);
}

bool EduDevice::aim_msi(std::uint64_t address, std::uint16_t data) {
    int at = static_cast<int>(read_config(capability_pointer, 1));
    for (int steps = 0; at != 0 && steps < 48 && read_config(at, 1) != capability_msi; ++steps)
        at = static_cast<int>(read_config(at + 1, 1));
    if (at == 0 || read_config(at, 1) != capability_msi) return false;
    const std::uint32_t control = read_config(at + 2, 2);
    write_config(at + 4, static_cast<std::uint32_t>(address), 4);
    if ((control & msi_wide) != 0) write_config(at + 8, static_cast<std::uint32_t>(address >> 32), 4);
    write_config(at + ((control & msi_wide) != 0 ? 12 : 8), data, 2);
    write_config(at + 2, control | msi_enable, 2);
    return true;
}

void EduDevice::raise_interrupt() {
    write32(reg_raise, 1);
    write32(reg_acknowledge, 1);
}

std::optional<OwnPage> own_page() {
    constexpr std::size_t size = 4096;
    void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
    const int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (at == MAP_FAILED || map < 0) return std::nullopt;
    std::memset(at, 0, size);
    std::uint64_t entry = 0;
    const auto offset = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(at) / size * sizeof entry);
    const bool good = pread(map, &entry, sizeof entry, offset) == sizeof entry;
    close(map);
    const std::uint64_t frame = entry & ((1ull << 55) - 1);
    if (!good || frame == 0) return std::nullopt;
    return OwnPage{{static_cast<std::uint8_t*>(at), size}, frame * size};
}

} // namespace casemate::hostile
