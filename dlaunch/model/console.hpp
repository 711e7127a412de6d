// SPDX-License-Identifier: Apache-2.0
// Turns the bytes of a serial console into lines: without carriage returns and terminal escapes (the firmware
// draws with them). UNTRUSTED: any guest may write anything; control characters are dropped, lines are bounded.
#pragma once

#include "hypervisor/base/bytes.hpp"

#include <functional>
#include <string>

namespace casemate::model {

class ConsoleLines {
public:
    using Sink = std::function<void(const std::string&)>;

    void append(ByteView bytes, const Sink& sink);
    /// What has come since the last newline, if anything; the end of the console.
    void flush(const Sink& sink);

private:
    enum class State { text, escape, sequence };
    void take(char c, const Sink& sink);

    std::string line_;
    State state_ = State::text;
};

} // namespace casemate::model
