// SPDX-License-Identifier: Apache-2.0
// Debian's kernel file, unpacked at build time: the VM that boots it needs no memory and no time for that (docs/adr/0016).
// Who calls it: casemate-kernel. Throws std::runtime_error with the reason.
#pragma once

#include "drivervms/image/cpio.hpp"

namespace casemate::image {

[[nodiscard]] Bytes unpacked_kernel(const Bytes& bzimage);

} // namespace casemate::image
