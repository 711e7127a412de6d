// SPDX-License-Identifier: Apache-2.0
// Writer of deterministic CBOR [RFC 8949 4.2.1] into a fixed buffer: shortest heads, definite lengths.
// The caller gives container sizes and writes keys in ascending order of their encodings (0.. before -1..);
// a debug round trip through CborReader in the tests of each structure proves that it did.
// Failure (buffer full) is sticky; ask ok() once at the end.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <string_view>

namespace casemate {

class CborWriter {
public:
    explicit CborWriter(ByteSpan buffer) : out_{buffer} {}

    [[nodiscard]] bool ok() const { return out_.ok(); }
    [[nodiscard]] std::size_t size() const { return out_.size(); }
    [[nodiscard]] ByteView written() const { return out_.written(); }

    void u64(std::uint64_t value) { head(0, value); }
    void integer(std::int64_t value);
    void boolean(bool value) { head(7, value ? 21 : 20); }
    void bytes(ByteView value);
    /// A byte string whose `size` bytes follow elsewhere (hashed, not written).
    void bytes_head(std::uint64_t size) { head(2, size); }
    void text(std::string_view value);
    void array(std::size_t count) { head(4, count); }
    void map(std::size_t count) { head(5, count); }
    void tag(std::uint64_t value) { head(6, value); }
    /// For a map's entry on one line: `out.key(0).text(name);`
    CborWriter& key(std::int64_t value) {
        integer(value);
        return *this;
    }
    /// One item that is encoded already.
    void item(ByteView encoded) { out_.bytes(encoded); }

private:
    void head(std::uint8_t type, std::uint64_t argument);

    BigEndianWriter out_;
};

} // namespace casemate
