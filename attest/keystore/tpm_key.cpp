// SPDX-License-Identifier: Apache-2.0
// See tpm_key.hpp. A TPM that was away is opened again at the next signature; one that refused the password is not asked again,
// so that it does not go into lockout.
#include "attest/keystore/tpm_key.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

namespace casemate::keystore {
namespace {

using cose::SignError;

struct Fault {
    SignError kind = SignError::device;
    std::string sentence;
};

struct FreeEsys {
    void operator()(void* memory) const { Esys_Free(memory); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeEsys>;

/// TPM_RC of the TPM itself, without the number of the handle, session or parameter [TPM2-P2 6.6.2].
bool is_password_refusal(TSS2_RC code) {
    if ((code & TSS2_RC_LAYER_MASK) != TSS2_TPM_RC_LAYER) return false;
    const TSS2_RC bare = (code & TPM2_RC_FMT1) != 0 ? code & 0xBF : code;
    return bare == TPM2_RC_AUTH_FAIL || bare == TPM2_RC_BAD_AUTH || code == TPM2_RC_LOCKOUT;
}

Status<Fault> require(TSS2_RC code, const char* command) {
    if (code == TSS2_RC_SUCCESS) return Done{};
    char text[96];
    std::snprintf(text, sizeof text, "%s: TPM error 0x%x", command, code);
    return Failure{Fault{is_password_refusal(code) ? SignError::device_locked : SignError::device, text}};
}

/// Left-padded: the TPM may return fewer bytes.
bool place(std::uint8_t* to, const TPM2B_ECC_PARAMETER& number) {
    constexpr std::size_t size = 32;
    if (number.size > size) return false;
    std::copy_n(number.buffer, number.size, to + (size - number.size));
    return true;
}

Result<cose::PublicPoint, Fault> point_of(const TPMT_PUBLIC& area) {
    const TPMS_ECC_PARMS& parms = area.parameters.eccDetail;
    const bool scheme = parms.scheme.scheme == TPM2_ALG_NULL ||
                        (parms.scheme.scheme == TPM2_ALG_ECDSA && parms.scheme.details.ecdsa.hashAlg == TPM2_ALG_SHA256);
    if (area.type != TPM2_ALG_ECC || parms.curveID != TPM2_ECC_NIST_P256 || !scheme)
        return Failure{Fault{SignError::not_p256_private_key, "the key is not ECC P-256 for ECDSA with SHA-256"}};
    constexpr TPMA_OBJECT needed = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH;
    if ((area.objectAttributes & needed) != needed || (area.objectAttributes & TPMA_OBJECT_RESTRICTED) != 0)
        return Failure{Fault{SignError::not_p256_private_key,
                             "the key must have sign, fixedTPM, sensitiveDataOrigin and userWithAuth, and not restricted"}};
    cose::PublicPoint point{4};
    if (!place(point.data() + 1, area.unique.ecc.x) || !place(point.data() + 33, area.unique.ecc.y))
        return Failure{Fault{SignError::not_p256_private_key, "the key's point is too large"}};
    return point;
}

/// One connection with the key's handle open. Not safe from several threads.
class Connection {
public:
    static Result<std::unique_ptr<Connection>, Fault> open(const TpmLocator& where, const Secret& password) {
        std::unique_ptr<Connection> made{new Connection};
        TRY(require(Tss2_TctiLdr_Initialize(where.tcti.c_str(), &made->tcti_), "connect to the TPM"));
        TRY(require(Esys_Initialize(&made->esys_, made->tcti_, nullptr), "Esys_Initialize"));
        TRY(require(Esys_TR_FromTPMPublic(made->esys_, where.handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &made->key_),
                    "find the key"));
        TRY(made->read_public());
        TPM2B_AUTH auth{};
        if (password.bytes().size() > sizeof auth.buffer) return Failure{Fault{SignError::device_locked, "the password is too long"}};
        auth.size = static_cast<UINT16>(password.bytes().size());
        std::copy(password.bytes().begin(), password.bytes().end(), auth.buffer);
        TRY(require(Esys_TR_SetAuth(made->esys_, made->key_, &auth), "Esys_TR_SetAuth"));
        return made;
    }
    ~Connection() {
        if (esys_ != nullptr) Esys_Finalize(&esys_);
        if (tcti_ != nullptr) Tss2_TctiLdr_Finalize(&tcti_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] const cose::PublicPoint& point() const { return point_; }

    [[nodiscard]] Result<cose::RawSignature, Fault> sign(ByteView digest) const {
        const ESYS_TR session = TRY(start_session());
        TPM2B_DIGEST hash{};
        hash.size = static_cast<UINT16>(digest.size());
        std::copy(digest.begin(), digest.end(), hash.buffer);
        TPMT_SIG_SCHEME scheme{};
        scheme.scheme = TPM2_ALG_ECDSA;
        scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
        const TPMT_TK_HASHCHECK unrestricted{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}}; // not a restricted key: no ticket
        TPMT_SIGNATURE* raw = nullptr;
        const TSS2_RC code = Esys_Sign(esys_, key_, session, ESYS_TR_NONE, ESYS_TR_NONE, &hash, &scheme, &unrestricted, &raw);
        const Owned<TPMT_SIGNATURE> signature{raw};
        if (code != TSS2_RC_SUCCESS) (void)Esys_FlushContext(esys_, session); // after a success it is gone already
        TRY(require(code, "TPM2_Sign"));
        return plain(*signature);
    }

private:
    Connection() = default;

    Status<Fault> read_public() {
        TPM2B_PUBLIC* raw = nullptr;
        TRY(require(Esys_ReadPublic(esys_, key_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr, nullptr), "TPM2_ReadPublic"));
        const Owned<TPM2B_PUBLIC> area{raw};
        point_ = TRY(point_of(area->publicArea));
        return Done{};
    }
    [[nodiscard]] Result<ESYS_TR, Fault> start_session() const {
        TPMT_SYM_DEF none{};
        none.algorithm = TPM2_ALG_NULL;
        ESYS_TR session = ESYS_TR_NONE;
        TRY(require(Esys_StartAuthSession(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr,
                                          TPM2_SE_HMAC, &none, TPM2_ALG_SHA256, &session), "TPM2_StartAuthSession"));
        const Status<Fault> once = require(Esys_TRSess_SetAttributes(esys_, session, 0, TPMA_SESSION_CONTINUESESSION), "session");
        if (!once) return Failure{once.error()};
        return session;
    }
    static Result<cose::RawSignature, Fault> plain(const TPMT_SIGNATURE& signature) {
        cose::RawSignature raw{};
        if (signature.sigAlg != TPM2_ALG_ECDSA || !place(raw.data(), signature.signature.ecdsa.signatureR) ||
            !place(raw.data() + 32, signature.signature.ecdsa.signatureS))
            return Failure{Fault{SignError::wrong_signature, "the TPM returned no ECDSA signature"}};
        return raw;
    }

    TSS2_TCTI_CONTEXT* tcti_ = nullptr;
    ESYS_CONTEXT* esys_ = nullptr;
    ESYS_TR key_ = ESYS_TR_NONE;
    cose::PublicPoint point_{};
};

class TpmKey final : public cose::SigningKey {
public:
    TpmKey(TpmLocator where, Secret password, std::unique_ptr<Connection> connection)
        : where_{std::move(where)}, password_{std::move(password)}, connection_{std::move(connection)}, point_{connection_->point()} {}

    [[nodiscard]] const cose::PublicPoint& public_key() const override { return point_; }
    [[nodiscard]] bool is_device() const override { return true; }

    [[nodiscard]] Result<cose::RawSignature, SignError> sign_digest(ByteView digest) const override {
        const std::lock_guard guard{lock_};
        if (locked_out_) return Failure{SignError::device_locked};
        if (connection_) {
            const auto signature = connection_->sign(digest);
            if (signature) return signature.value();
            connection_.reset();
            if (signature.error().kind != SignError::device) return refused(signature.error().kind);
        }
        TRY(open_again());
        const auto signature = connection_->sign(digest);
        if (!signature) return refused(signature.error().kind);
        return signature.value();
    }

private:
    Failure<SignError> refused(SignError kind) const {
        locked_out_ = kind == SignError::device_locked;
        return {kind};
    }
    /// The same key, or none.
    [[nodiscard]] Status<SignError> open_again() const {
        auto opened = Connection::open(where_, password_);
        if (!opened) return Failure{opened.error().kind};
        if (opened.value()->point() != point_) return Failure{SignError::device_key};
        connection_ = std::move(opened).value();
        return Done{};
    }

    const TpmLocator where_;
    const Secret password_;
    mutable std::mutex lock_;
    mutable std::unique_ptr<Connection> connection_;
    mutable bool locked_out_ = false;
    const cose::PublicPoint point_;
};

} // namespace

Result<std::shared_ptr<const cose::SigningKey>, std::string> open_tpm_key(const TpmLocator& where, Secret password) {
    auto connection = Connection::open(where, password);
    if (!connection) return Failure{"TPM: " + connection.error().sentence};
    return std::shared_ptr<const cose::SigningKey>{
        std::make_shared<TpmKey>(where, std::move(password), std::move(connection).value())};
}

} // namespace casemate::keystore
