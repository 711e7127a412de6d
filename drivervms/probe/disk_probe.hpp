// SPDX-License-Identifier: Apache-2.0
// The disk driver's traffic proof: writes Pattern(seed) from the device's first byte, past the page cache, flushes,
// and reads it back. Destroys what was on the device.
#pragma once

#include <cstdint>
#include <string>

namespace casemate::probe {

struct DiskProof {
    std::uint64_t bytes = 0;
    std::string write_sha256{};
    std::string read_sha256{};
    double write_seconds = 0;
    double read_seconds = 0;
};

/// `bytes` must be a multiple of 1 MiB.
[[nodiscard]] DiskProof prove_disk(const std::string& device, std::uint64_t bytes, std::uint64_t seed);

} // namespace casemate::probe
