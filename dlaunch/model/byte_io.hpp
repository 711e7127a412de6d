// SPDX-License-Identifier: Apache-2.0
// Bounded synchronous reads and writes on non-blocking descriptors.
// Used for the short dialogues (debugger, TPM control, QMP) that run while the virtual machine stands still.
#pragma once

#include "dlaunch/model/error.hpp"
#include "dlaunch/model/reactor.hpp"
#include "hypervisor/base/bytes.hpp"

#include <vector>

namespace casemate::model {

/// Writes all of `bytes`, waiting for room at most `limit` in all.
Status<Error> write_all(int fd, ByteView bytes, Millis limit);

enum class ReadOutcome { data, nothing, end };
/// Appends what is there now to `buffer`; never waits.
ReadOutcome read_available(int fd, std::vector<std::uint8_t>& buffer);
/// Waits at most `limit` for `fd` to become readable.
bool wait_readable(int fd, Millis limit);

inline ByteView as_bytes(std::string_view text) {
    // SAFETY: a byte view of characters; char may alias anything.
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace casemate::model
