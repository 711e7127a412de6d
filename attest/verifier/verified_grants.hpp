// SPDX-License-Identifier: Apache-2.0
// Grants whose signature was checked before, by their bytes: a renewal is signed from a stored grant, which must be under
// the verifier's own key or the one that it had before, and each is renewed many times. Bounded: two generations of at most `generation` messages; when
// the younger is full, the older is forgotten. Called by Grants.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "attest/grant/grant.hpp"

namespace casemate::verifier {

class VerifiedGrants {
public:
    explicit VerifiedGrants(const grant::Keys& keys, std::size_t generation = 32'768) : keys_{keys}, generation_{generation} {}

    /// The claims; nothing when the message is not a grant under one of the keys. Safe from several threads.
    [[nodiscard]] std::optional<grant::Claims> claims(ByteView message);
    /// Messages that are remembered.
    [[nodiscard]] std::size_t size() const;

private:
    using Known = std::unordered_map<std::string, grant::Claims>;

    void remember(std::string message, const grant::Claims& claims);

    const grant::Keys keys_;
    const std::size_t generation_;
    mutable std::mutex lock_;
    Known young_;
    Known old_;
};

} // namespace casemate::verifier
