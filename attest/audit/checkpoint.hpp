// SPDX-License-Identifier: Apache-2.0
// A signed checkpoint: the audit key's word that the trail had this head. COSE_Sign1 with ES256 [RFC 9052 4.2].
// Payload: deterministic CBOR map {1: sequence, 2: hash, 3: at}; the content type in the protected header keeps any
// other message under the same key from passing as a checkpoint. Called by attest/store and the offline check.
#pragma once

#include <functional>
#include <vector>

#include "attest/audit/row.hpp"
#include "attest/cose/signer.hpp"

namespace casemate::audit {

inline constexpr const char* checkpoint_content_type = "application/casemate-audit-checkpoint"; // header 3 [RFC 9052 3.1]
inline constexpr std::size_t max_checkpoint = 256;

struct Checkpoint {
    Head head;
    std::int64_t at = 0; // milliseconds since the Unix epoch, by the verifier that signed it
};

enum class CheckpointError { none, malformed, signature };

[[nodiscard]] Result<std::vector<std::uint8_t>, cose::SignError> sign(const Checkpoint& checkpoint,
                                                                      const cose::Signer& key);
/// UNTRUSTED `message`: accepted in its one encoding and under `key` only.
[[nodiscard]] Result<Checkpoint, CheckpointError> verify(ByteView message, const measure::P256PublicKey& key);

/// How a store makes checkpoints: after every `interval` rows, and when it is asked to.
struct Checkpointing {
    std::int64_t interval = 0;
    std::function<std::vector<std::uint8_t>(const Checkpoint&)> sign; // throws when it cannot
};

} // namespace casemate::audit
