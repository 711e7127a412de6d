// SPDX-License-Identifier: Apache-2.0
// A salted session with a TPM: commands under it cannot be changed on the way, and the first parameter of a response can be
// hidden from who listens on the TPM's bus [TPM2-P1 17, 19, 21]. The salt goes to the TPM under an RSA key that the
// caller knows to be this TPM's: who that is decides what the session is worth.
// Always a policy session with SHA-256 and XOR obfuscation, whose key stream comes from HMAC with both sides' fresh nonces.
// Bytes only, like tpm_wire.hpp: builders are empty when the buffer is too small. UNTRUSTED: responses.
// Who calls it: attest/secret/. Not for more than one session handle a command.
#pragma once

#include "dlaunch/measure/keyed_crypto.hpp"
#include "dlaunch/measure/tpm_command.hpp"

#include <string_view>

namespace casemate::measure {

using TPM_HANDLE = std::uint32_t;
inline constexpr TPM_HANDLE TPM_RH_OWNER = 0x40000001, TPM_RH_NULL = 0x40000007, TPM_RH_ENDORSEMENT = 0x4000000B; // [TPM2-P2 T28]

/// TPM2B_NAME's content for an object or an NV index with SHA-256: algorithm, digest [TPM2-P1 16].
using TpmName = std::array<std::uint8_t, 34>;
/// Of a TPMT_PUBLIC or TPMS_NV_PUBLIC whose nameAlg is SHA-256.
[[nodiscard]] TpmName name_of_public(ByteView public_area);

/// KDFa with SHA-256 [TPM2-P1 11.4.10.2]; `label` without its final zero. Fills `out`, at most 512 bytes.
void kdf_a(ByteView key, std::string_view label, ByteView context_u, ByteView context_v, ByteSpan out);

class TpmSession {
public:
    using Nonce = Sha256Digest;

    /// TPM2_StartAuthSession [TPM2-P3 11.1]. `key`: the handle and the modulus of an RSA 2048 decryption key with nameAlg SHA-256.
    /// `random`: 96 bytes that nobody else knows or will see used again. Empty as well when the modulus has another size.
    [[nodiscard]] ByteView start(ByteSpan out, TPM_HANDLE key, ByteView modulus, ByteView random);
    [[nodiscard]] Status<TpmFault> started(ByteView response);

    [[nodiscard]] TPM_HANDLE handle() const { return handle_; }

    struct Target {
        TPM_HANDLE handle = 0;
        ByteView name; // TpmName
    };
    enum class Response : std::uint8_t { plain = 0x01, encrypted = 0x41 }; // TPMA_SESSION: continueSession, encrypt

    /// One command with one handle, which this session authorises. `nonce`: 32 fresh random bytes.
    [[nodiscard]] ByteView command(ByteSpan out, TPM_CC code, const Target& target, ByteView parameters, ByteView nonce, Response wanted);

    enum class Handles : bool { none, one };
    /// The parameters of that command's response, which begins with so many handles. When it was to be encrypted, its first
    /// parameter, a TPM2B, is readable afterwards. Nothing is given back whose code is wrong.
    [[nodiscard]] Result<ByteSpan, TpmFault> answer(ByteSpan response, Handles handles);

    /// Forgets its key.
    void end();

private:
    [[nodiscard]] Sha256Digest code_of(const Sha256Digest& digest, const Nonce& newer, const Nonce& older) const;
    [[nodiscard]] bool reveal(ByteSpan parameters) const;

    TPM_HANDLE handle_ = 0;
    TPM_CC command_{};
    Response wanted_ = Response::plain;
    Nonce nonce_caller_{}, nonce_tpm_{};
    Sha256Digest salt_{}, key_{};
};

} // namespace casemate::measure
