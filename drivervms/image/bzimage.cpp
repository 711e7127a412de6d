// SPDX-License-Identifier: Apache-2.0
// Implements bzimage.hpp.
#include "drivervms/image/bzimage.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace casemate::image {
namespace {

// Offsets in the file [boot.rst, "Details of Header Fields"].
constexpr std::size_t off_setup_sects = 0x1F1, off_syssize = 0x1F4, off_boot_flag = 0x1FE, off_jump_length = 0x201, off_header = 0x202,
                      off_version = 0x206, off_kernel_version = 0x20E, off_loadflags = 0x211, off_kernel_alignment = 0x230,
                      off_relocatable_kernel = 0x234, off_min_alignment = 0x235, off_xloadflags = 0x236, off_payload_offset = 0x248,
                      off_payload_length = 0x24C, off_pref_address = 0x258, off_init_size = 0x260, off_handover_offset = 0x264,
                      off_kernel_info_offset = 0x268, header_end = 0x26C;
constexpr std::uint16_t boot_flag = 0xAA55, with_kernel_info = 0x20F, without_kernel_info = 0x20E, xlf_kernel_64 = 1;
constexpr std::uint32_t header_magic = 0x53726448; // "HdrS"
constexpr std::uint8_t loaded_high = 1;

constexpr std::size_t sector = 512, setup_size = 2 * sector;
constexpr std::uint32_t page = 4096, entry_64_offset = 0x200, paragraph = 16;
constexpr std::uint8_t page_bits = 12, jump_near = 0xE9;
constexpr std::uint32_t jump_size = 5;

struct Packing {
    const char* method;
    std::string_view magic;
};
constexpr Packing packings[] = {{"xz", "\xFD\x37zXZ"}, {"lz4", "\x02\x21\x4C\x18"}, {"zstd", "\x28\xB5\x2F\xFD"}};

void require(bool condition, const char* reason) {
    if (!condition) throw std::runtime_error(std::string{"bzImage: "} + reason);
}

template <typename T>
T field(const Bytes& file, std::size_t offset) {
    T value;
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

template <typename T>
void put(Bytes& file, std::size_t offset, T value) {
    std::memcpy(file.data() + offset, &value, sizeof value);
}

Bytes part(const Bytes& file, std::size_t offset, std::size_t size) {
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

std::string method_of(const Bytes& payload) {
    for (const Packing& each : packings)
        if (payload.size() >= each.magic.size() && std::memcmp(payload.data(), each.magic.data(), each.magic.size()) == 0)
            return each.method;
    throw std::runtime_error("bzImage: packed in an unknown way");
}

/// What is true of the file that `boot_file` makes; the rest of the header is the packed kernel's.
void correct_header(Bytes& file, std::uint64_t payload_size, std::uint64_t memory_size) {
    put<std::uint8_t>(file, off_setup_sects, setup_size / sector - 1);
    put(file, off_syssize, static_cast<std::uint32_t>((payload_size + paragraph - 1) / paragraph));
    put(file, off_version, without_kernel_info);
    put<std::uint16_t>(file, off_kernel_version, 0);
    put(file, off_loadflags, loaded_high);
    put(file, off_kernel_alignment, page);
    put<std::uint8_t>(file, off_relocatable_kernel, 0);
    put(file, off_min_alignment, page_bits);
    put(file, off_xloadflags, xlf_kernel_64);
    put<std::uint32_t>(file, off_payload_offset, 0);
    put<std::uint32_t>(file, off_payload_length, 0);
    put<std::uint64_t>(file, off_pref_address, kernel_step - page);
    put(file, off_init_size, static_cast<std::uint32_t>(page + memory_size));
    put<std::uint32_t>(file, off_handover_offset, 0);
    put<std::uint32_t>(file, off_kernel_info_offset, 0);
}

} // namespace

BzImage parse_bzimage(const Bytes& file) {
    require(file.size() >= header_end && field<std::uint16_t>(file, off_boot_flag) == boot_flag &&
                field<std::uint32_t>(file, off_header) == header_magic && field<std::uint16_t>(file, off_version) >= with_kernel_info,
            "not a Linux kernel of boot protocol 2.15");
    const std::size_t setup_end = off_header + file[off_jump_length];
    const std::size_t kernel_at = (std::size_t{file[off_setup_sects]} + 1) * sector;
    require(setup_end >= header_end && setup_end <= std::min(setup_size, kernel_at) && kernel_at <= file.size(), "a setup header of another size");
    const std::uint64_t offset = field<std::uint32_t>(file, off_payload_offset), length = field<std::uint32_t>(file, off_payload_length);
    require(offset <= file.size() - kernel_at && length <= file.size() - kernel_at - offset, "its kernel is not in the file");
    BzImage image;
    require(length > sizeof image.unpacked_size, "without a kernel");
    // The size of what it unpacks to comes last, whatever the packing [Linux, scripts/Makefile.lib, size_append].
    const std::size_t size = length - sizeof image.unpacked_size;
    image.setup_header = part(file, off_setup_sects, setup_end - off_setup_sects);
    image.payload = part(file, kernel_at + offset, size);
    image.method = method_of(image.payload);
    image.unpacked_size = field<std::uint32_t>(file, kernel_at + offset + size);
    return image;
}

Bytes boot_file(const Bytes& setup_header, const FlatKernel& kernel) {
    Bytes file(setup_size + page + kernel.bytes.size());
    std::copy(setup_header.begin(), setup_header.end(), file.begin() + off_setup_sects);
    correct_header(file, page + kernel.bytes.size(), kernel.memory_size);
    const std::uint64_t jump_at = setup_size + entry_64_offset;
    put(file, jump_at, jump_near);
    put(file, jump_at + 1, static_cast<std::uint32_t>(page + kernel.entry - (entry_64_offset + jump_size)));
    std::copy(kernel.bytes.begin(), kernel.bytes.end(), file.begin() + setup_size + page);
    return file;
}

} // namespace casemate::image
