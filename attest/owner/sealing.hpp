// SPDX-License-Identifier: Apache-2.0
// What an owner does with a platform's secrets, as far as it is the same whoever asks: `casemate secret`, a session that tests make, tests.
#pragma once

#include "attest/owner/secret_book.hpp"
#include "attest/verifier/json.hpp"

namespace casemate::owner {

using References = std::vector<verifier::Json>;

/// Seals `value` and approves the states of `vm` that the references predict, until the record's epoch is over. Refused unless each of
/// their policies is this owner's and lets the VM have it. True when it replaced one of that name.
Outcome<bool> put_secret(SecretBook& book, const PlatformRecord& record, const std::string& vm, const std::string& name, ByteView value,
                         const References& references, const cose::Signer& owner);
/// An update, before it is rolled out: approves its states of `vm` until the *next* epoch is over, so counting up ends the old state's
/// approval and not this one. How many were new.
Outcome<int> approve_update(SecretBook& book, const PlatformRecord& record, const std::string& vm, const References& references,
                            const cose::Signer& owner);

} // namespace casemate::owner
