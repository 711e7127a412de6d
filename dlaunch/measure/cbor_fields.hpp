// SPDX-License-Identifier: Apache-2.0
// One description of a structure serves its writer and its reader: `describe(codec, value)` names keys, fields and
// limits once; FieldWriter encodes by it, FieldReader decodes by it. Failure is sticky in both.
// Reading sets views into the input (text, blob); it leaves rubbish in the value when it fails.
// Used by launch_events.cpp, custody_types.cpp and ledger_entry.cpp only.
#pragma once

#include "hypervisor/base/cbor_reader.hpp"
#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/base/device_address.hpp"

#include <array>
#include <limits>
#include <optional>

namespace casemate::measure {

class FieldWriter {
public:
    explicit FieldWriter(CborWriter& out) : out_{out} {}

    void map(std::size_t fields) { out_.map(fields); }
    void key(int key) { out_.key(key); }
    template <typename Integer>
    void number(int key, Integer value, std::uint64_t = 0) {
        out_.key(key).u64(value);
    }
    template <typename Enum>
    void choice(int key, Enum value, Enum) {
        number(key, static_cast<std::uint64_t>(value));
    }
    void flag(int key, bool value) { out_.key(key).boolean(value); }
    void text(int key, std::string_view value, std::size_t) { out_.key(key).text(value); }
    void blob(int key, ByteView value, std::size_t) { out_.key(key).bytes(value); }
    template <std::size_t size>
    void fixed(int key, const std::array<std::uint8_t, size>& value) {
        out_.key(key).bytes(value);
    }
    template <std::size_t size>
    void fixed_or_empty(int key, const std::optional<std::array<std::uint8_t, size>>& value) {
        out_.key(key).bytes(value ? ByteView{*value} : ByteView{});
    }
    void device(int key, const DeviceAddress& value) {
        out_.key(key).array(4);
        out_.u64(value.segment), out_.u64(value.bus), out_.u64(value.device), out_.u64(value.function);
    }
    void fail() {}

private:
    CborWriter& out_;
};

class FieldReader {
public:
    explicit FieldReader(CborReader& in) : in_{in} {}

    void map(std::size_t fields) { in_.expect_map(fields); }
    void key(int key) { in_.expect_key(key); }
    template <typename Integer>
    void number(int key, Integer& value, std::uint64_t limit = std::numeric_limits<Integer>::max()) {
        in_.expect_key(key), value = static_cast<Integer>(in_.u64_at_most(limit));
    }
    template <typename Enum>
    void choice(int key, Enum& value, Enum last) {
        in_.expect_key(key), value = static_cast<Enum>(in_.u64_at_most(static_cast<std::uint64_t>(last)));
    }
    void flag(int key, bool& value) { in_.expect_key(key), value = in_.boolean(); }
    void text(int key, std::string_view& value, std::size_t limit) { in_.expect_key(key), value = in_.text(limit); }
    void blob(int key, ByteView& value, std::size_t limit) { in_.expect_key(key), value = in_.bytes(limit); }
    template <std::size_t size>
    void fixed(int key, std::array<std::uint8_t, size>& value) {
        in_.expect_key(key), copy(in_.bytes_exactly(size), value);
    }
    template <std::size_t size>
    void fixed_or_empty(int key, std::optional<std::array<std::uint8_t, size>>& value) {
        in_.expect_key(key);
        const ByteView bytes = in_.bytes(size);
        value.reset();
        if (bytes.empty()) return;
        if (bytes.size() != size) return in_.fail();
        copy(bytes, value.emplace());
    }
    void device(int key, DeviceAddress& value) {
        in_.expect_key(key), in_.expect_array(4);
        value.segment = static_cast<std::uint16_t>(in_.u64_at_most(0xffff));
        value.bus = static_cast<std::uint8_t>(in_.u64_at_most(0xff));
        value.device = static_cast<std::uint8_t>(in_.u64_at_most(31));
        value.function = static_cast<std::uint8_t>(in_.u64_at_most(7));
    }
    void fail() { in_.fail(); }

private:
    template <std::size_t size>
    static void copy(ByteView from, std::array<std::uint8_t, size>& to) {
        for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i];
    }

    CborReader& in_;
};

} // namespace casemate::measure
