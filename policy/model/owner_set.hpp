// SPDX-License-Identifier: Apache-2.0
// Whose word a policy is: one owner, or a set of owners of whom `threshold` must sign (docs/interfaces/policy.md). Its bytes are what
// the SLB measures as authority: whichever owners have signed, they are the same.
//     one owner   his key
//     a set       threshold | approval key | 2 to 5 owners' keys, ascending
// Invariant: an OwnerSet has its one encoding. That its keys are points of the curve shows when something is verified with them.
// Who calls it: bundle.cpp; the compiler encodes sets.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "policy/model/policy.hpp"

namespace casemate::policy {

inline constexpr std::size_t max_owners = 5;
inline constexpr std::size_t max_owner_set = 1 + public_key_size * (1 + max_owners);

class OwnerSet {
public:
    /// Nobody: only read() makes one that may be asked.
    OwnerSet() = default;
    /// A view of `bytes`; false, and nothing changed, when they are neither a key nor the encoding of a set.
    [[nodiscard]] bool read(ByteView bytes);

    [[nodiscard]] ByteView bytes() const { return bytes_; }
    [[nodiscard]] std::size_t threshold() const { return is_one() ? 1 : bytes_[0]; }
    [[nodiscard]] std::size_t count() const { return is_one() ? 1 : (bytes_.size() - 1) / public_key_size - 1; }
    [[nodiscard]] bool is_one() const { return bytes_.size() == public_key_size; }
    [[nodiscard]] ByteView key(std::size_t index) const { return is_one() ? bytes_ : key_at(1 + index); }
    /// Signs secrets and approves states, for which a TPM knows one key only; need be no owner's. Of one owner: his.
    [[nodiscard]] ByteView approval_key() const { return is_one() ? bytes_ : key_at(0); }

private:
    [[nodiscard]] ByteView key_at(std::size_t place) const { return bytes_.subspan(1 + place * public_key_size, public_key_size); }

    ByteView bytes_;
};

} // namespace casemate::policy
