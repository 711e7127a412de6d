// SPDX-License-Identifier: Apache-2.0
// Strict reader of deterministic CBOR [RFC 8949 4.2.1], the subset that Casemate speaks: unsigned and negative
// integers, byte strings, text strings, arrays, maps with integer keys, tags, false and true.
// Invariant: one value has one accepted encoding. Refused: heads that are not the shortest, indefinite lengths,
// floats, null, unsorted or duplicate keys, text outside printable ASCII, nesting deeper than 8, trailing bytes.
// Failure is sticky, like ByteReader: read a whole record, ask finished() once, then use the fields.
// Who calls it: every parser of policy, ledger, grant and control messages. Never allocates, never recurses.
//
//     CborReader in{bytes};
//     in.expect_map(2);
//     in.expect_key(0); const auto version = in.u64();
//     in.expect_key(1); const auto name = in.text(15);
//     if (!in.finished()) return Failure{...};
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <string_view>

namespace casemate {

enum class CborType : std::uint8_t { unsigned_integer, negative_integer, bytes, text, array, map, tag, simple };

class CborReader {
public:
    static constexpr std::size_t max_depth = 8;

    explicit CborReader(ByteView encoded) : rest_{encoded} {}

    [[nodiscard]] bool ok() const { return ok_; }
    /// True when exactly one complete item was read and no byte is left.
    [[nodiscard]] bool finished() const { return ok_ && complete_ && rest_.empty(); }
    /// Poisons the reader: for checks of the caller ("value out of range") that shall fail the whole parse.
    void fail() { ok_ = false; }

    /// Type of the next item; `simple` when there is none (every read then fails).
    [[nodiscard]] CborType peek() const;

    std::uint64_t u64();
    /// An unsigned integer of at most `limit`, for fields narrower than 64 bits.
    std::uint64_t u64_at_most(std::uint64_t limit);
    /// Any integer that fits in 63 bits and a sign.
    std::int64_t integer();
    bool boolean();
    /// A view into the input, at most `limit` long.
    ByteView bytes(std::size_t limit);
    ByteView bytes_exactly(std::size_t size);
    std::string_view text(std::size_t limit);
    std::uint64_t tag();

    /// Opens an array or map: the number of elements or of key-value pairs, at most `limit`. A container closes by
    /// itself with its last element.
    std::size_t array_size(std::size_t limit);
    std::size_t map_size(std::size_t limit);
    void expect_array(std::size_t size);
    void expect_map(std::size_t size);
    void expect_tag(std::uint64_t value);

    /// The next key of the innermost map; keys must ascend in the order of their encodings.
    std::int64_t key();
    void expect_key(std::int64_t value);


private:
    struct Head {
        CborType type;
        std::uint64_t argument;
    };
    /// An open container; a tag is one with a single element.
    struct Frame {
        CborType type;
        bool key_is_next;
        bool has_last_key;
        Head last_key;
        std::uint64_t left; // elements or pairs not yet complete
    };

    Head head();
    Head value_head(CborType expected);
    ByteView take(std::uint64_t count);
    std::size_t open(CborType type, std::uint64_t limit);
    void push(CborType type, std::uint64_t count);
    void complete_value();
    bool value_allowed() const;
    static std::int64_t to_signed(Head head, bool& ok);

    ByteView rest_;
    bool ok_ = true;
    bool complete_ = false;
    std::size_t depth_ = 0;
    Frame frames_[max_depth];
};

} // namespace casemate
