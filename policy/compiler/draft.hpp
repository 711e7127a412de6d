// SPDX-License-Identifier: Apache-2.0
// A bundle on its way from owner to owner: made without a signature, signed by one after the other, complete when as many have signed
// as the set demands. The signatures stand in the owners' order, so who signs first makes no difference to where they stand.
// Host only; called by the policy compiler. Invariant: every signature in what these return is good.
#pragma once

#include "attest/cose/signer.hpp"
#include "policy/model/bundle.hpp"

#include <string>
#include <vector>

namespace casemate::policy {

using Bytes = std::vector<std::uint8_t>;

/// Of one owner, who signs at once.
[[nodiscard]] Result<Bytes, std::string> sign_alone(ByteView payload, const cose::Signer& owner);
/// Of a set (OwnerSet's bytes), with no signature yet.
[[nodiscard]] Result<Bytes, std::string> make_draft(ByteView payload, ByteView owners);
/// With one owner's signature more. Refused: a draft that is complete, is of other owners than `owners`, has a bad signature, or was signed
/// by him before; and a key that is no owner's.
[[nodiscard]] Result<Bytes, std::string> add_signature(ByteView draft, ByteView owners, const cose::Signer& owner);

} // namespace casemate::policy
