// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/console.hpp"

namespace casemate::model {
namespace {

constexpr std::size_t line_limit = 4096;
constexpr char escape = 0x1b;

bool ends_sequence(char c) { return c >= 0x40 && c <= 0x7e; } // ECMA-48 5.4: the final byte

} // namespace

void ConsoleLines::append(ByteView bytes, const Sink& sink) {
    for (const std::uint8_t byte : bytes) take(static_cast<char>(byte), sink);
}

void ConsoleLines::flush(const Sink& sink) {
    if (line_.empty()) return;
    sink(line_);
    line_.clear();
}

void ConsoleLines::take(char c, const Sink& sink) {
    if (state_ == State::escape) {
        state_ = c == '[' ? State::sequence : State::text;
    } else if (state_ == State::sequence) {
        if (ends_sequence(c)) state_ = State::text;
    } else if (c == escape) {
        state_ = State::escape;
    } else if (c == '\n') {
        sink(line_);
        line_.clear();
    } else if (c == '\t' || static_cast<unsigned char>(c) >= ' ') {
        line_ += c;
        if (line_.size() >= line_limit) flush(sink);
    }
}

} // namespace casemate::model
