// SPDX-License-Identifier: Apache-2.0
// One session with one token: log in, find a key, sign. Not safe from several threads. Used by pkcs11_key.cpp only.
// Every object on the token is UNTRUSTED: a token may be swapped for another one.
#pragma once

#include <memory>
#include <string>

#define CRYPTOKI_COMPAT 1
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include "attest/cose/signing_key.hpp"
#include "attest/keystore/secret_file.hpp"

namespace casemate::keystore {

/// What went wrong, for the log and for what follows: another login with a PIN that was refused would lock the token.
struct Pkcs11Fault {
    cose::SignError kind = cose::SignError::device;
    std::string sentence;
};

using Uri = std::unique_ptr<P11KitUri, decltype(&p11_kit_uri_free)>;

/// The library, loaded and initialised as long as it is held.
class Pkcs11Module {
public:
    static Result<std::shared_ptr<Pkcs11Module>, Pkcs11Fault> load(const std::string& path);
    ~Pkcs11Module();
    Pkcs11Module(const Pkcs11Module&) = delete;
    Pkcs11Module& operator=(const Pkcs11Module&) = delete;
    [[nodiscard]] CK_FUNCTION_LIST& functions() const { return *functions_; }

private:
    explicit Pkcs11Module(CK_FUNCTION_LIST* functions) : functions_{functions} {}
    CK_FUNCTION_LIST* functions_;
    bool ready_ = false;
};

class Pkcs11Session {
public:
    static Result<std::unique_ptr<Pkcs11Session>, Pkcs11Fault> open(std::shared_ptr<Pkcs11Module> module, P11KitUri& uri,
                                                                    const Secret& pin);
    ~Pkcs11Session();
    Pkcs11Session(const Pkcs11Session&) = delete;
    Pkcs11Session& operator=(const Pkcs11Session&) = delete;

    [[nodiscard]] const cose::PublicPoint& point() const { return point_; }
    [[nodiscard]] Result<cose::RawSignature, Pkcs11Fault> sign(ByteView digest) const;

private:
    Pkcs11Session(std::shared_ptr<Pkcs11Module> module, CK_SESSION_HANDLE session)
        : module_{std::move(module)}, session_{session} {}
    [[nodiscard]] Status<Pkcs11Fault> log_in(const Secret& pin) const;
    [[nodiscard]] Status<Pkcs11Fault> find_key(P11KitUri& uri);
    [[nodiscard]] Result<CK_OBJECT_HANDLE, Pkcs11Fault> find(CK_OBJECT_CLASS kind, CK_ATTRIBUTE* more, std::size_t count) const;
    [[nodiscard]] Result<std::string, Pkcs11Fault> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
    [[nodiscard]] Result<cose::PublicPoint, Pkcs11Fault> point_of(CK_OBJECT_HANDLE public_key) const;

    std::shared_ptr<Pkcs11Module> module_;
    CK_SESSION_HANDLE session_;
    CK_OBJECT_HANDLE key_ = 0;
    cose::PublicPoint point_{};
};

} // namespace casemate::keystore
