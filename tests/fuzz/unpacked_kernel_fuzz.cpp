// SPDX-License-Identifier: Apache-2.0
// Any bytes as a kernel: refused, or what the image builder makes of it is taken by the hypervisor's loader. The same bytes as the file
// that holds one packed.
#include "drivervms/image/bzimage.hpp"
#include "hypervisor/core/boot_protocol.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

using namespace casemate;
using namespace casemate::image;

namespace {

void expect_loadable(const FlatKernel& kernel) {
    if (kernel.entry >= kernel.bytes.size() || kernel.bytes.size() > kernel.memory_size) std::abort();
    static std::vector<std::uint8_t> ram(8 << 20);
    if (kernel.memory_size > 4 << 20) return;
    Bytes header(0x26C - 0x1F1); // from 1F1h: magic, length and the two limits that the kernel has
    const std::uint8_t limits[] = {0xFF, 0xFF, 0xFF, 0x7F};
    std::copy_n("\x55\xAA\xEB\x6AHdrS", 8, header.begin() + 0xD);
    std::copy_n(limits, 4, header.begin() + 0x3B);
    header[0x47] = 0xFF;
    const Bytes file = boot_file(header, kernel);
    const auto entry = core::load_linux(mm::GuestMemory{ram}, {file, {}, "quiet"}, {});
    if (!entry.ok() || ram[entry.value().rip] != 0xE9) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(data, data + size);
    try {
        (void)parse_bzimage(bytes);
    } catch (const std::runtime_error&) {
    }
    try {
        expect_loadable(flatten(bytes));
    } catch (const std::runtime_error&) {
    }
    return 0;
}
