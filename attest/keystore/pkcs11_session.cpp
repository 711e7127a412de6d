// SPDX-License-Identifier: Apache-2.0
// See pkcs11_session.hpp.
#include "attest/keystore/pkcs11_session.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace casemate::keystore {
namespace {

using cose::SignError;

constexpr std::size_t max_slots = 64;
constexpr std::size_t max_attribute = 512;
// OBJECT IDENTIFIER prime256v1, as CKA_EC_PARAMS has it [SEC2 2.4.2].
constexpr std::array<std::uint8_t, 10> p256_parameters{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
// CKA_EC_POINT is the point as an OCTET STRING [PKCS11 2.40, 2.3.3]; some tokens leave the tag out.
constexpr std::array<std::uint8_t, 2> octet_string{0x04, 0x41};

Failure<Pkcs11Fault> fault(SignError kind, std::string sentence) { return {{kind, std::move(sentence)}}; }

SignError kind_of(CK_RV code) {
    switch (code) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED: return SignError::device_locked;
    default: return SignError::device;
    }
}

Status<Pkcs11Fault> require(CK_RV code, const char* doing) {
    if (code == CKR_OK) return Done{};
    return fault(kind_of(code), std::string{doing} + ": " + p11_kit_strerror(code));
}

bool equal_bytes(const std::string& text, ByteView bytes) {
    return text.size() == bytes.size() && std::equal(bytes.begin(), bytes.end(), text.begin(), [](std::uint8_t a, char b) {
        return a == static_cast<std::uint8_t>(b);
    });
}

/// The one slot whose token the URI describes.
Result<CK_SLOT_ID, Pkcs11Fault> find_slot(CK_FUNCTION_LIST& library, P11KitUri& uri) {
    std::array<CK_SLOT_ID, max_slots> slots{};
    CK_ULONG count = slots.size();
    TRY(require(library.C_GetSlotList(CK_TRUE, slots.data(), &count), "list the slots"));
    std::vector<CK_SLOT_ID> found;
    for (CK_ULONG i = 0; i < count; ++i) {
        CK_TOKEN_INFO info{};
        if (library.C_GetTokenInfo(slots[i], &info) == CKR_OK && p11_kit_uri_match_token_info(&uri, &info) == 1)
            found.push_back(slots[i]);
    }
    if (found.size() == 1) return found.front();
    return fault(SignError::device, found.empty() ? "no token is the one that the URI describes"
                                                  : "more than one token is as the URI describes");
}

} // namespace

Result<std::shared_ptr<Pkcs11Module>, Pkcs11Fault> Pkcs11Module::load(const std::string& path) {
    CK_FUNCTION_LIST* functions = p11_kit_module_load(path.c_str(), 0);
    if (functions == nullptr) return fault(SignError::device, "cannot load the PKCS#11 library " + path);
    std::shared_ptr<Pkcs11Module> module{new Pkcs11Module{functions}};
    TRY(require(p11_kit_module_initialize(functions), "start the PKCS#11 library"));
    module->ready_ = true;
    return module;
}

Pkcs11Module::~Pkcs11Module() {
    if (ready_) (void)p11_kit_module_finalize(functions_);
    p11_kit_module_release(functions_);
}

Result<std::unique_ptr<Pkcs11Session>, Pkcs11Fault> Pkcs11Session::open(std::shared_ptr<Pkcs11Module> module, P11KitUri& uri,
                                                                        const Secret& pin) {
    CK_FUNCTION_LIST& library = module->functions();
    const CK_SLOT_ID slot = TRY(find_slot(library, uri));
    CK_SESSION_HANDLE handle = 0;
    TRY(require(library.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &handle), "open a session"));
    std::unique_ptr<Pkcs11Session> session{new Pkcs11Session{std::move(module), handle}};
    TRY(session->log_in(pin));
    TRY(session->find_key(uri));
    return session;
}

Pkcs11Session::~Pkcs11Session() { (void)module_->functions().C_CloseSession(session_); }

Status<Pkcs11Fault> Pkcs11Session::log_in(const Secret& pin) const {
    if (pin.empty()) return Done{};
    std::vector<CK_UTF8CHAR> text(pin.bytes().begin(), pin.bytes().end());
    const CK_RV code = module_->functions().C_Login(session_, CKU_USER, text.data(), text.size());
    std::fill(text.begin(), text.end(), CK_UTF8CHAR{0});
    if (code == CKR_USER_ALREADY_LOGGED_IN) return Done{};
    return require(code, "log in");
}

/// The private key that the URI names, and the public key with the same CKA_ID, which must be P-256.
Status<Pkcs11Fault> Pkcs11Session::find_key(P11KitUri& uri) {
    CK_ULONG count = 0;
    CK_ATTRIBUTE* named = p11_kit_uri_get_attributes(&uri, &count);
    std::vector<CK_ATTRIBUTE> wanted;
    for (CK_ULONG i = 0; i < count; ++i)
        if (named[i].type == CKA_ID || named[i].type == CKA_LABEL) wanted.push_back(named[i]);
    if (wanted.empty()) return fault(SignError::device_key, "the URI must name the key by object or id");
    key_ = TRY(find(CKO_PRIVATE_KEY, wanted.data(), wanted.size()));
    std::string id = TRY(attribute(key_, CKA_ID));
    CK_ATTRIBUTE same{CKA_ID, id.data(), id.size()};
    const CK_OBJECT_HANDLE public_key = TRY(find(CKO_PUBLIC_KEY, &same, 1));
    point_ = TRY(point_of(public_key));
    return Done{};
}

Result<CK_OBJECT_HANDLE, Pkcs11Fault> Pkcs11Session::find(CK_OBJECT_CLASS kind, CK_ATTRIBUTE* more, std::size_t count) const {
    CK_FUNCTION_LIST& library = module_->functions();
    CK_KEY_TYPE type = CKK_EC;
    std::vector<CK_ATTRIBUTE> wanted{{CKA_CLASS, &kind, sizeof kind}, {CKA_KEY_TYPE, &type, sizeof type}};
    wanted.insert(wanted.end(), more, more + count);
    TRY(require(library.C_FindObjectsInit(session_, wanted.data(), wanted.size()), "look for the key"));
    std::array<CK_OBJECT_HANDLE, 2> found{};
    CK_ULONG seen = 0;
    const CK_RV code = library.C_FindObjects(session_, found.data(), found.size(), &seen);
    (void)library.C_FindObjectsFinal(session_);
    TRY(require(code, "look for the key"));
    const char* half = kind == CKO_PRIVATE_KEY ? "private" : "public";
    if (seen == 1) return found[0];
    return fault(SignError::device_key, std::string{seen == 0 ? "the token has no such elliptic-curve " : "the token has more than one such "} +
                                            half + " key");
}

Result<std::string, Pkcs11Fault> Pkcs11Session::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    std::string value(max_attribute, '\0');
    CK_ATTRIBUTE wanted{type, value.data(), value.size()};
    TRY(require(module_->functions().C_GetAttributeValue(session_, object, &wanted, 1), "read the key's attributes"));
    if (wanted.ulValueLen > value.size()) return fault(SignError::device_key, "an attribute of the key is too long");
    value.resize(wanted.ulValueLen);
    return value;
}

Result<cose::PublicPoint, Pkcs11Fault> Pkcs11Session::point_of(CK_OBJECT_HANDLE public_key) const {
    const std::string parameters = TRY(attribute(public_key, CKA_EC_PARAMS));
    std::string text = TRY(attribute(public_key, CKA_EC_POINT));
    cose::PublicPoint point{};
    if (text.size() == point.size() + octet_string.size() && equal_bytes(text.substr(0, octet_string.size()), octet_string))
        text.erase(0, octet_string.size());
    if (!equal_bytes(parameters, p256_parameters) || text.size() != point.size())
        return fault(SignError::not_p256_private_key, "the key is not on the curve P-256");
    std::transform(text.begin(), text.end(), point.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    return point;
}

Result<cose::RawSignature, Pkcs11Fault> Pkcs11Session::sign(ByteView digest) const {
    CK_FUNCTION_LIST& library = module_->functions();
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    TRY(require(library.C_SignInit(session_, &mechanism, key_), "begin to sign"));
    std::vector<std::uint8_t> data(digest.begin(), digest.end());
    cose::RawSignature signature{};
    CK_ULONG size = signature.size();
    TRY(require(library.C_Sign(session_, data.data(), data.size(), signature.data(), &size), "sign"));
    if (size != signature.size()) return fault(SignError::wrong_signature, "the token's signature has another length");
    return signature;
}

} // namespace casemate::keystore
