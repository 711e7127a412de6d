// SPDX-License-Identifier: Apache-2.0
// A platform's status report (docs/interfaces/relay.md) as rows of tables for a terminal. UNTRUSTED: the report. It may have any shape, and what
// of it is shown is short printable ASCII. Called by platform_mail.cpp. Pure.
#pragma once

#include <string>

#include "attest/verifier/json.hpp"

namespace casemate::cli {

/// A text, whole number or truth value at a JSON pointer, every other byte than printable ASCII as '?', at most 64 of them; "-" for anything else.
[[nodiscard]] std::string shown(const verifier::Json& report, const char* pointer);

/// name, state, starts, memory_mib.
[[nodiscard]] verifier::Json reported_vms(const verifier::Json& report);
/// device, state, lease_ms_left.
[[nodiscard]] verifier::Json reported_devices(const verifier::Json& report);

/// OrderError of docs/interfaces/control.md in words.
[[nodiscard]] std::string order_result(std::int64_t error);

} // namespace casemate::cli
