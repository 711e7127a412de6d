// SPDX-License-Identifier: Apache-2.0
// Where events begin and end in the firmware's crypto-agile log [TCG-PFP 10.2]: just enough to copy all of it, whole. Nothing is believed here
// and nothing is judged: the verifier replays it (attest/appraise/firmware_log). Called by firmware.cpp and the tests.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace casemate::efi {

class FirmwareLogShape {
public:
    static constexpr std::size_t max_algorithms = 8;

    /// From the Spec-ID record at the front of the log; nothing when there is none, or it names too many algorithms.
    [[nodiscard]] static std::optional<FirmwareLogShape> read(ByteView log);

    [[nodiscard]] std::size_t header_size() const { return header_size_; }
    /// Of the TCG_PCR_EVENT2 at the front; nothing when it is not whole, or has an algorithm that the header does not name.
    [[nodiscard]] std::optional<std::size_t> event_size(ByteView bytes) const;
    /// Of the first `count` events; nothing when they are not all there.
    [[nodiscard]] std::optional<std::size_t> events_size(ByteView bytes, std::uint64_t count) const;

private:
    struct Algorithm {
        std::uint16_t id = 0;
        std::uint16_t size = 0;
    };
    std::size_t header_size_ = 0;
    std::size_t algorithm_count_ = 0;
    std::array<Algorithm, max_algorithms> algorithms_{};
};

} // namespace casemate::efi
