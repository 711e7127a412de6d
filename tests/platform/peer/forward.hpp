// SPDX-License-Identifier: Apache-2.0
// `casemate-peer forward PORT`: standard input and output joined to a server on this machine, so that guests of QEMU's user network reach the
// session's verifier, whose port nobody knows before.
#pragma once

#include <cstdint>

namespace casemate::probe {

/// Returns when either side has closed. Throws when nobody listens.
void forward(std::uint16_t port);

} // namespace casemate::probe
