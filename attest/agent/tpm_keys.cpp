// SPDX-License-Identifier: Apache-2.0
// Endorsement key and certificate [TCG-EK 2.2], attestation key, credential activation.
#include "attest/agent/tpm_connection.hpp"

#include <algorithm>
#include <array>

namespace casemate::agent {
namespace {

/// Where manufacturers put EKs [TCG-EK 2.2.1.4, 2.2.1.5]: certificate in NV, key persistent (optional).
struct EkPlace {
    TPM2_HANDLE certificate;
    TPM2_HANDLE key;
    TPMI_ALG_PUBLIC type;
};
constexpr EkPlace ek_places[] = {
    {0x01c00002, 0x81010001, TPM2_ALG_RSA}, // RSA 2048, template L-1
    {0x01c0000a, 0x81010002, TPM2_ALG_ECC}, // ECC P-256, template L-2
};

/// PolicySecret(endorsement hierarchy), SHA-256: PolicyA of both templates [TCG-EK B.3.3].
constexpr std::array<BYTE, 32> policy_a = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
    0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA};

constexpr std::size_t max_certificate = 16'384;
constexpr std::size_t nv_chunk = 512; // every TPM reads at least this much at once
constexpr std::size_t max_bootstrap = 2048;
constexpr TPM2_HANDLE bootstrap_places[] = {0x01800002, 0x01800003}; // attest/secret/nv_storage.hpp

TPM2B_PUBLIC ek_template(TPMI_ALG_PUBLIC type) {
    TPM2B_PUBLIC result{};
    TPMT_PUBLIC& area = result.publicArea;
    area.type = type;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                            TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    area.authPolicy.size = policy_a.size();
    std::copy(policy_a.begin(), policy_a.end(), area.authPolicy.buffer);
    const TPMT_SYM_DEF_OBJECT aes{TPM2_ALG_AES, {.aes = 128}, {.aes = TPM2_ALG_CFB}};
    if (type == TPM2_ALG_RSA) {
        area.parameters.rsaDetail = {aes, {.scheme = TPM2_ALG_NULL, .details = {}}, 2048, 0};
        area.unique.rsa.size = 256;
    } else {
        area.parameters.eccDetail = {aes, {.scheme = TPM2_ALG_NULL, .details = {}}, TPM2_ECC_NIST_P256,
                                     {.scheme = TPM2_ALG_NULL, .details = {}}};
        area.unique.ecc.x.size = area.unique.ecc.y.size = 32;
    }
    return result;
}

TPM2B_PUBLIC ak_template() {
    TPM2B_PUBLIC result{};
    TPMT_PUBLIC& area = result.publicArea;
    area.type = TPM2_ALG_ECC;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                            TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
    area.parameters.eccDetail = {{.algorithm = TPM2_ALG_NULL, .keyBits = {}, .mode = {}},
                                 {.scheme = TPM2_ALG_ECDSA, .details = {.ecdsa = {TPM2_ALG_SHA256}}},
                                 TPM2_ECC_NIST_P256,
                                 {.scheme = TPM2_ALG_NULL, .details = {}}};
    return result;
}

Outcome<ESYS_TR> create_primary(ESYS_CONTEXT* esys, const TPM2B_PUBLIC& key_template) {
    const TPM2B_SENSITIVE_CREATE no_secret{};
    const TPM2B_DATA no_data{};
    const TPML_PCR_SELECTION no_pcr{};
    ESYS_TR object = ESYS_TR_NONE;
    TRY(tpm_result(Esys_CreatePrimary(esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                      &no_secret, &key_template, &no_data, &no_pcr, &object, nullptr, nullptr,
                                      nullptr, nullptr),
                   "TPM2_CreatePrimary"));
    return object;
}

Outcome<ESYS_TR> object_of(ESYS_CONTEXT* esys, TPM2_HANDLE handle) {
    ESYS_TR object = ESYS_TR_NONE;
    TRY(tpm_result(Esys_TR_FromTPMPublic(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object),
                   "TPM2_ReadPublic"));
    return object;
}

Outcome<Bytes> public_area_of(ESYS_CONTEXT* esys, ESYS_TR object) {
    TPM2B_PUBLIC* raw = nullptr;
    TRY(tpm_result(Esys_ReadPublic(esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr, nullptr),
                   "TPM2_ReadPublic"));
    const Owned<TPM2B_PUBLIC> area{raw};
    return marshalled(*area, Tss2_MU_TPM2B_PUBLIC_Marshal);
}

Outcome<std::size_t> nv_size(ESYS_CONTEXT* esys, ESYS_TR index) {
    TPM2B_NV_PUBLIC* raw = nullptr;
    TRY(tpm_result(Esys_NV_ReadPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr),
                   "TPM2_NV_ReadPublic"));
    return std::size_t{Owned<TPM2B_NV_PUBLIC>{raw}->nvPublic.dataSize};
}

/// An NV index may be larger than the certificate in it: its DER head tells the length [X.690 8.1.3].
Outcome<Bytes> trim_certificate(Bytes bytes) {
    if (bytes.size() < 4 || bytes[0] != 0x30 || bytes[1] != 0x82) return fail("no DER certificate in NV");
    const std::size_t size = 4 + (std::size_t{bytes[2]} << 8 | bytes[3]);
    if (size > bytes.size()) return fail("the certificate in NV ends early");
    bytes.resize(size);
    return bytes;
}

Outcome<Bytes> read_nv(ESYS_CONTEXT* esys, TPM2_HANDLE handle, std::size_t limit) {
    const ESYS_TR index = TRY(object_of(esys, handle));
    const std::size_t size = TRY(nv_size(esys, index));
    if (size > limit) return fail("more in NV than there can be");
    Bytes bytes;
    while (bytes.size() < size) {
        const auto count = static_cast<UINT16>(std::min(nv_chunk, size - bytes.size()));
        TPM2B_MAX_NV_BUFFER* raw = nullptr;
        TRY(tpm_result(Esys_NV_Read(esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, count,
                                    static_cast<UINT16>(bytes.size()), &raw),
                       "TPM2_NV_Read"));
        const Owned<TPM2B_MAX_NV_BUFFER> part{raw};
        if (part->size == 0) return fail("TPM2_NV_Read returned nothing");
        bytes.insert(bytes.end(), part->buffer, part->buffer + part->size);
    }
    return bytes;
}

} // namespace

Outcome<EndorsementKey> Tpm::endorsement_key() {
    ESYS_CONTEXT* esys = connection_->esys;
    for (const EkPlace& place : ek_places) {
        auto stored = read_nv(esys, place.certificate, max_certificate);
        auto certificate = stored.ok() ? trim_certificate(std::move(stored).value()) : std::move(stored);
        if (!certificate.ok()) continue;
        const auto persistent = object_of(esys, place.key);
        const ESYS_TR object =
            persistent.ok() ? persistent.value() : TRY(create_primary(esys, ek_template(place.type)));
        auto public_area = TRY(public_area_of(esys, object));
        return EndorsementKey{object, std::move(certificate).value(), std::move(public_area)};
    }
    return fail("the TPM has no EK certificate that we know");
}

std::vector<Bytes> Tpm::bootstrap_messages() {
    std::vector<Bytes> all;
    for (const TPM2_HANDLE place : bootstrap_places)
        if (auto message = read_nv(connection_->esys, place, max_bootstrap); message.ok()) all.push_back(std::move(message).value());
    return all;
}

Outcome<AttestationKey> Tpm::attestation_key() {
    const ESYS_TR object = TRY(create_primary(connection_->esys, ak_template()));
    return AttestationKey{object, TRY(public_area_of(connection_->esys, object))};
}

Outcome<std::uint32_t> Tpm::ek_session() {
    ESYS_CONTEXT* esys = connection_->esys;
    const TPMT_SYM_DEF no_encryption{.algorithm = TPM2_ALG_NULL, .keyBits = {}, .mode = {}};
    ESYS_TR session = ESYS_TR_NONE;
    TRY(tpm_result(Esys_StartAuthSession(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         nullptr, TPM2_SE_POLICY, &no_encryption, TPM2_ALG_SHA256, &session),
                   "TPM2_StartAuthSession"));
    const auto satisfied =
        tpm_result(Esys_PolicySecret(esys, ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                     ESYS_TR_NONE, nullptr, nullptr, nullptr, 0, nullptr, nullptr),
                   "TPM2_PolicySecret");
    if (!satisfied.ok()) {
        Esys_FlushContext(esys, session);
        return Failure{satisfied.error()};
    }
    return session;
}

Outcome<Bytes> Tpm::activate(const EndorsementKey& ek, const AttestationKey& ak, ByteView credential_blob,
                             ByteView encrypted_secret) {
    const auto blob = TRY(unmarshalled<TPM2B_ID_OBJECT>(credential_blob, Tss2_MU_TPM2B_ID_OBJECT_Unmarshal));
    const auto secret =
        TRY(unmarshalled<TPM2B_ENCRYPTED_SECRET>(encrypted_secret, Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal));
    const ESYS_TR session = TRY(ek_session());
    TPM2B_DIGEST* raw = nullptr;
    const auto done = tpm_result(Esys_ActivateCredential(connection_->esys, ak.object, ek.object, ESYS_TR_PASSWORD,
                                                         session, ESYS_TR_NONE, &blob, &secret, &raw),
                                 "TPM2_ActivateCredential");
    Esys_FlushContext(connection_->esys, session);
    if (!done.ok()) return Failure{done.error()};
    const Owned<TPM2B_DIGEST> credential{raw};
    return Bytes{credential->buffer, credential->buffer + credential->size};
}

} // namespace casemate::agent
