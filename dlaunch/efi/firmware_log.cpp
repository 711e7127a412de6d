// SPDX-License-Identifier: Apache-2.0
// See firmware_log.hpp.
#include "dlaunch/efi/firmware_log.hpp"

#include <string_view>

namespace casemate::efi {

namespace {

constexpr std::size_t old_digest_size = 20; // of TCG_PCR_EVENT, the first record's form
// TCG_EfiSpecIdEvent [TCG-PFP 10.4.5.1] before its list of algorithms: signature, class, minor, major, errata, uintn size.
constexpr std::size_t before_algorithms = 16 + 4 + 4;
constexpr std::string_view signature{"Spec ID Event03\0", 16};

bool is_signature(ByteView bytes) {
    for (std::size_t i = 0; i < signature.size(); ++i)
        if (bytes[i] != static_cast<std::uint8_t>(signature[i])) return false;
    return true;
}

} // namespace

std::optional<FirmwareLogShape> FirmwareLogShape::read(ByteView log) {
    LittleEndianReader in{log};
    in.u32(); // PCR
    in.u32(); // type
    in.bytes(old_digest_size);
    const std::uint32_t size = in.u32();
    if (!in.ok() || size > in.remaining() || size < before_algorithms + 4) return std::nullopt;
    FirmwareLogShape shape;
    shape.header_size_ = log.size() - in.remaining() + size;
    LittleEndianReader event{in.bytes(size)};
    if (!is_signature(event.bytes(signature.size()))) return std::nullopt;
    event.bytes(before_algorithms - signature.size());
    shape.algorithm_count_ = event.u32();
    if (shape.algorithm_count_ == 0 || shape.algorithm_count_ > max_algorithms) return std::nullopt;
    for (std::size_t i = 0; i < shape.algorithm_count_; ++i) shape.algorithms_[i] = {event.u16(), event.u16()};
    return event.ok() ? std::optional{shape} : std::nullopt;
}

std::optional<std::size_t> FirmwareLogShape::event_size(ByteView bytes) const {
    LittleEndianReader in{bytes};
    in.u32(); // PCR
    in.u32(); // type
    const std::uint32_t count = in.u32();
    if (!in.ok() || count > algorithm_count_) return std::nullopt;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint16_t id = in.u16();
        std::size_t known = 0;
        while (known < algorithm_count_ && algorithms_[known].id != id) ++known;
        if (!in.ok() || known == algorithm_count_) return std::nullopt;
        in.bytes(algorithms_[known].size);
    }
    in.bytes(in.u32());
    return in.ok() ? std::optional{bytes.size() - in.remaining()} : std::nullopt;
}

std::optional<std::size_t> FirmwareLogShape::events_size(ByteView bytes, std::uint64_t count) const {
    std::size_t total = 0;
    for (; count > 0; --count) {
        const auto size = event_size(bytes.subspan(total));
        if (!size) return std::nullopt;
        total += *size; // never 0, so a count that is too high ends with the bytes
    }
    return total;
}

} // namespace casemate::efi
