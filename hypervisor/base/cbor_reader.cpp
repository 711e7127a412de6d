// SPDX-License-Identifier: Apache-2.0
// See cbor_reader.hpp. UNTRUSTED: every byte that passes through here.
#include "hypervisor/base/cbor_reader.hpp"

namespace casemate {

namespace {

constexpr std::uint64_t simple_false = 20; // [RFC 8949 table 4]
constexpr std::uint64_t simple_true = 21;

/// The largest argument that the next shorter head could hold; a wider head must exceed it.
constexpr std::uint64_t largest_shorter(std::size_t width) {
    return width == 1 ? 23 : (std::uint64_t{1} << (4 * width)) - 1;
}

bool printable(std::uint8_t c) { return c >= 0x20 && c <= 0x7e; }

} // namespace

CborType CborReader::peek() const {
    return rest_.empty() || !ok_ ? CborType::simple : static_cast<CborType>(rest_[0] >> 5);
}

ByteView CborReader::take(std::uint64_t count) {
    if (!ok_ || count > rest_.size()) {
        ok_ = false;
        return {};
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
}

CborReader::Head CborReader::head() {
    const ByteView first = take(1);
    if (first.empty()) return {CborType::simple, 0};
    const auto type = static_cast<CborType>(first[0] >> 5);
    const std::uint8_t info = first[0] & 0x1f;
    if (info < 24) return {type, info};
    if (info > 27) { // 28..30 reserved, 31 indefinite length
        ok_ = false;
        return {type, 0};
    }
    const std::size_t width = std::size_t{1} << (info - 24);
    std::uint64_t argument = 0;
    for (const std::uint8_t byte : take(width)) argument = argument << 8 | byte;
    ok_ = ok_ && argument > largest_shorter(width);
    return {type, argument};
}

bool CborReader::value_allowed() const {
    return depth_ == 0 ? !complete_ : !frames_[depth_ - 1].key_is_next;
}

CborReader::Head CborReader::value_head(CborType expected) {
    ok_ = ok_ && value_allowed();
    const Head read = head();
    ok_ = ok_ && read.type == expected;
    return read;
}

/// One value is complete: closes every container whose last element it was.
void CborReader::complete_value() {
    while (ok_ && depth_ > 0) {
        Frame& frame = frames_[depth_ - 1];
        frame.key_is_next = frame.type == CborType::map;
        if (--frame.left > 0) return;
        --depth_;
    }
    complete_ = ok_;
}

void CborReader::push(CborType type, std::uint64_t count) {
    if (count == 0) return complete_value();
    if (depth_ == max_depth) {
        ok_ = false;
        return;
    }
    frames_[depth_++] = {type, type == CborType::map, false, {}, count};
}

std::size_t CborReader::open(CborType type, std::uint64_t limit) {
    const std::uint64_t count = value_head(type).argument;
    ok_ = ok_ && count <= limit && count <= rest_.size(); // every element takes a byte at least
    if (!ok_) return 0;
    push(type, count);
    return ok_ ? count : 0;
}

std::uint64_t CborReader::u64() { return u64_at_most(UINT64_MAX); }

std::uint64_t CborReader::u64_at_most(std::uint64_t limit) {
    const std::uint64_t value = value_head(CborType::unsigned_integer).argument;
    ok_ = ok_ && value <= limit;
    complete_value();
    return ok_ ? value : 0;
}

std::int64_t CborReader::to_signed(Head head, bool& ok) {
    const bool negative = head.type == CborType::negative_integer;
    ok = ok && (negative || head.type == CborType::unsigned_integer) && head.argument <= INT64_MAX;
    if (!ok) return 0;
    const auto magnitude = static_cast<std::int64_t>(head.argument);
    return negative ? -1 - magnitude : magnitude;
}

std::int64_t CborReader::integer() {
    ok_ = ok_ && value_allowed();
    const std::int64_t value = to_signed(head(), ok_);
    complete_value();
    return value;
}

bool CborReader::boolean() {
    const std::uint64_t value = value_head(CborType::simple).argument;
    ok_ = ok_ && (value == simple_false || value == simple_true);
    complete_value();
    return ok_ && value == simple_true;
}

ByteView CborReader::bytes(std::size_t limit) {
    const std::uint64_t size = value_head(CborType::bytes).argument;
    ok_ = ok_ && size <= limit;
    const ByteView content = take(size);
    complete_value();
    return ok_ ? content : ByteView{};
}

ByteView CborReader::bytes_exactly(std::size_t size) {
    const ByteView content = bytes(size);
    ok_ = ok_ && content.size() == size;
    return ok_ ? content : ByteView{};
}

std::string_view CborReader::text(std::size_t limit) {
    const std::uint64_t size = value_head(CborType::text).argument;
    ok_ = ok_ && size <= limit;
    const ByteView content = take(size);
    for (const std::uint8_t c : content) ok_ = ok_ && printable(c);
    complete_value();
    if (!ok_) return {};
    // SAFETY: char may alias any object; the view has the lifetime of the input.
    return {reinterpret_cast<const char*>(content.data()), content.size()};
}

std::uint64_t CborReader::tag() {
    const std::uint64_t value = value_head(CborType::tag).argument;
    if (ok_) push(CborType::tag, 1);
    return ok_ ? value : 0;
}

std::size_t CborReader::array_size(std::size_t limit) { return open(CborType::array, limit); }
std::size_t CborReader::map_size(std::size_t limit) { return open(CborType::map, limit); }

void CborReader::expect_array(std::size_t size) { ok_ = array_size(size) == size && ok_; }
void CborReader::expect_map(std::size_t size) { ok_ = map_size(size) == size && ok_; }
void CborReader::expect_tag(std::uint64_t value) { ok_ = tag() == value && ok_; }

std::int64_t CborReader::key() {
    ok_ = ok_ && depth_ > 0 && frames_[depth_ - 1].key_is_next;
    const Head read = head();
    const std::int64_t value = to_signed(read, ok_);
    if (!ok_) return 0;
    Frame& frame = frames_[depth_ - 1];
    // Shortest heads sort by type, then by argument, exactly as their bytes do.
    const Head& last = frame.last_key;
    const bool ascends = read.type != last.type ? read.type > last.type : read.argument > last.argument;
    ok_ = !frame.has_last_key || ascends;
    frame.last_key = read;
    frame.has_last_key = true;
    frame.key_is_next = false;
    return ok_ ? value : 0;
}

void CborReader::expect_key(std::int64_t value) { ok_ = key() == value && ok_; }

} // namespace casemate
