// SPDX-License-Identifier: Apache-2.0
// See cbor_writer.hpp.
#include "hypervisor/base/cbor_writer.hpp"

namespace casemate {

void CborWriter::head(std::uint8_t type, std::uint64_t argument) {
    const auto initial = static_cast<std::uint8_t>(type << 5);
    if (argument < 24) {
        out_.u8(static_cast<std::uint8_t>(initial | argument));
    } else if (argument <= UINT8_MAX) {
        out_.u8(initial | 24);
        out_.u8(static_cast<std::uint8_t>(argument));
    } else if (argument <= UINT16_MAX) {
        out_.u8(initial | 25);
        out_.u16(static_cast<std::uint16_t>(argument));
    } else if (argument <= UINT32_MAX) {
        out_.u8(initial | 26);
        out_.u32(static_cast<std::uint32_t>(argument));
    } else {
        out_.u8(initial | 27);
        out_.u64(argument);
    }
}

void CborWriter::integer(std::int64_t value) {
    if (value >= 0) head(0, static_cast<std::uint64_t>(value));
    else head(1, static_cast<std::uint64_t>(-1 - value));
}

void CborWriter::bytes(ByteView value) {
    head(2, value.size());
    out_.bytes(value);
}

void CborWriter::text(std::string_view value) {
    head(3, value.size());
    // SAFETY: any object may be viewed as bytes.
    out_.bytes({reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
}

} // namespace casemate
