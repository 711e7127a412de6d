// SPDX-License-Identifier: Apache-2.0
// Implements unpacked_kernel.hpp.
#include "drivervms/image/unpacked_kernel.hpp"

#include "drivervms/image/bzimage.hpp"
#include "drivervms/image/files.hpp"

#include <stdexcept>

namespace casemate::image {

Bytes unpacked_kernel(const Bytes& bzimage) {
    const BzImage packed = parse_bzimage(bzimage);
    const Bytes vmlinux = decompressed(packed.payload, packed.method);
    if (vmlinux.size() != packed.unpacked_size) throw std::runtime_error("bzImage: unpacks to another size than it says");
    return boot_file(packed.setup_header, flatten(vmlinux));
}

} // namespace casemate::image
