// SPDX-License-Identifier: Apache-2.0
// See tpm_session.hpp.
#include "dlaunch/measure/tpm_session.hpp"

#include "hypervisor/base/check.hpp"

#include <algorithm>

namespace casemate::measure {
namespace {

constexpr std::uint16_t alg_sha256 = 0x000B, alg_xor = 0x000A; // [TPM2-P2 T9]
constexpr std::uint8_t session_policy = 1;                     // [TPM2-P2 T20]
constexpr std::string_view salt_label{"SECRET\0", 7};          // with its zero [TPM2-P1 B.10.2]
constexpr std::size_t longest_kdf_input = 160, most_hidden = 512;
constexpr std::size_t nonce_size = sizeof(TpmSession::Nonce);

ByteView text(std::string_view words) { return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size()}; }

template <std::size_t size>
void copy(ByteView from, std::array<std::uint8_t, size>& to) {
    CHECK(from.size() == size);
    std::copy(from.begin(), from.end(), to.begin());
}

void write_code(BigEndianWriter& out, TPM_CC code) { out.u32(static_cast<std::uint32_t>(code)); }

/// cpHash [TPM2-P1 16.7]: of a command with one handle.
Sha256Digest command_digest(TPM_CC code, ByteView name, ByteView parameters) {
    std::array<std::uint8_t, 4> number;
    BigEndianWriter out{number};
    write_code(out, code);
    Hasher hasher{TPM_ALG_ID::SHA256};
    hasher.update(number);
    hasher.update(name);
    hasher.update(parameters);
    Sha256Digest digest;
    copy(hasher.finish().view(), digest);
    return digest;
}

/// rpHash [TPM2-P1 16.8]: of a response that says success.
Sha256Digest response_digest(TPM_CC code, ByteView parameters) {
    std::array<std::uint8_t, 8> head;
    BigEndianWriter out{head};
    out.u32(TPM_RC_SUCCESS);
    write_code(out, code);
    Hasher hasher{TPM_ALG_ID::SHA256};
    hasher.update(head);
    hasher.update(parameters);
    Sha256Digest digest;
    copy(hasher.finish().view(), digest);
    return digest;
}

} // namespace

TpmName name_of_public(ByteView public_area) {
    TpmName name{alg_sha256 >> 8, alg_sha256 & 0xff};
    const Sha256Digest digest = sha256(public_area);
    std::copy(digest.begin(), digest.end(), name.begin() + 2);
    return name;
}

void kdf_a(ByteView key, std::string_view label, ByteView context_u, ByteView context_v, ByteSpan out) {
    const auto bits = static_cast<std::uint32_t>(out.size() * 8);
    for (std::uint32_t block = 1; !out.empty(); ++block) {
        std::array<std::uint8_t, longest_kdf_input> buffer;
        BigEndianWriter input{buffer};
        input.u32(block);
        input.bytes(text(label));
        input.u8(0);
        input.bytes(context_u);
        input.bytes(context_v);
        input.u32(bits);
        CHECK(input.ok());
        Sha256Digest part = hmac_sha256(key, input.written());
        const std::size_t size = std::min(part.size(), out.size());
        std::copy_n(part.begin(), size, out.begin());
        wipe(part);
        out = out.subspan(size);
    }
}

ByteView TpmSession::start(ByteSpan out, TPM_HANDLE key, ByteView modulus, ByteView random) {
    CHECK(random.size() == 3 * nonce_size);
    copy(random.first(nonce_size), nonce_caller_);
    copy(random.subspan(nonce_size, nonce_size), salt_);
    Rsa2048Block encrypted;
    if (!rsa_oaep_encrypt(modulus, text(salt_label), salt_, random.subspan(2 * nonce_size), encrypted)) return {};
    TpmCommand command{out, TPM_ST_NO_SESSIONS, TPM_CC::StartAuthSession};
    command.body.u32(key);
    command.body.u32(TPM_RH_NULL); // bound to nothing
    command.sized(nonce_caller_);
    command.sized(encrypted);
    command.body.u8(session_policy);
    command.body.u16(alg_xor); // TPMT_SYM_DEF
    command.body.u16(alg_sha256);
    command.body.u16(alg_sha256); // authHash
    return command.finish();
}

Status<TpmFault> TpmSession::started(ByteView response) {
    BigEndianReader reader = TRY(open_response(response, TPM_ST_NO_SESSIONS));
    const TPM_HANDLE handle = reader.u32();
    const ByteView nonce = reader.bytes(reader.u16());
    if (!reader.finished() || nonce.size() != nonce_size) return Failure{TpmFault{}};
    handle_ = handle;
    copy(nonce, nonce_tpm_);
    kdf_a(salt_, "ATH", nonce_tpm_, nonce_caller_, key_);
    wipe(salt_);
    return Done{};
}

/// [TPM2-P1 19.6.5], without an authValue: the policies have no PolicyAuthValue.
Sha256Digest TpmSession::code_of(const Sha256Digest& digest, const Nonce& newer, const Nonce& older) const {
    std::array<std::uint8_t, 3 * nonce_size + 1> message;
    BigEndianWriter out{message};
    out.bytes(digest);
    out.bytes(newer);
    out.bytes(older);
    out.u8(static_cast<std::uint8_t>(wanted_));
    return hmac_sha256(key_, message);
}

ByteView TpmSession::command(ByteSpan out, TPM_CC code, const Target& target, ByteView parameters, ByteView nonce, Response wanted) {
    copy(nonce, nonce_caller_);
    command_ = code;
    wanted_ = wanted;
    const Sha256Digest hmac = code_of(command_digest(code, target.name, parameters), nonce_caller_, nonce_tpm_);
    TpmCommand command{out, TPM_ST_SESSIONS, code};
    command.body.u32(target.handle);
    command.body.u32(4 + 2 + nonce_size + 1 + 2 + sizeof hmac); // authorizationSize
    command.body.u32(handle_);
    command.sized(nonce_caller_);
    command.body.u8(static_cast<std::uint8_t>(wanted));
    command.sized(hmac);
    command.body.bytes(parameters);
    return command.finish();
}

/// XOR obfuscation [TPM2-P1 11.4.6.3] of the first parameter's bytes, not of its size.
bool TpmSession::reveal(ByteSpan parameters) const {
    BigEndianReader reader{parameters};
    const std::size_t size = reader.u16();
    if (!reader.ok() || size > reader.remaining() || size > most_hidden) return false;
    std::array<std::uint8_t, most_hidden> mask;
    kdf_a(key_, "XOR", nonce_tpm_, nonce_caller_, ByteSpan{mask}.first(size));
    for (std::size_t i = 0; i < size; ++i) parameters[2 + i] ^= mask[i];
    wipe(mask);
    return true;
}

Result<ByteSpan, TpmFault> TpmSession::answer(ByteSpan response, Handles handles) {
    BigEndianReader reader = TRY(open_response(response, TPM_ST_SESSIONS));
    if (handles == Handles::one) reader.u32();
    const std::size_t size = reader.u32();
    const std::size_t at = response.size() - reader.remaining();
    const ByteView parameters = reader.bytes(size);
    const ByteView nonce = reader.bytes(reader.u16());
    const std::uint8_t attributes = reader.u8();
    const ByteView code = reader.bytes(reader.u16());
    if (!reader.finished() || nonce.size() != nonce_size || attributes != static_cast<std::uint8_t>(wanted_))
        return Failure{TpmFault{}};
    copy(nonce, nonce_tpm_);
    if (!equal(code, code_of(response_digest(command_, parameters), nonce_tpm_, nonce_caller_)))
        return Failure{TpmFault{TpmFaultKind::forged}};
    if (wanted_ == Response::encrypted && !reveal(response.subspan(at, size))) return Failure{TpmFault{}};
    return response.subspan(at, size);
}

void TpmSession::end() {
    wipe(salt_);
    wipe(key_);
}

} // namespace casemate::measure
