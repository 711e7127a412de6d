// SPDX-License-Identifier: Apache-2.0
// A sealed secret out of the mailbox into a file that only root can read (docs/interfaces/secret.md). Once: the mailbox is empty after it.
#pragma once

#include <cstdint>

namespace casemate::probe {

/// Waits at most `seconds` for the next secret, stores it as DIRECTORY/NAME, and says on the console its name, its size and a check
/// value by which its owner can tell it from others: the first 3 bytes of SHA-256("casemate check" || secret). Throws when none comes.
void take_secret(const char* directory, unsigned seconds);

} // namespace casemate::probe
