// SPDX-License-Identifier: Apache-2.0
// The opinion of tools that are not ours: tpm2_eventlog on the log, tpm2_checkquote on the quote, python3-cbor2 with openssl on a grant.
#pragma once

#include "tests/platform/fixture.hpp"

namespace casemate::platform_test {

/// Exports the session's newest evidence and a grant, and states what the tools say.
void check_with_public_tools(Context& context, const Session& session);

} // namespace casemate::platform_test
