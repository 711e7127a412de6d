// SPDX-License-Identifier: Apache-2.0
// See pkcs11_key.hpp. A token that was away (pulled out, restarted, logged out) is opened again at the next signature; one that
// refused the PIN is not asked again.
#include "attest/keystore/pkcs11_key.hpp"

#include <mutex>

#include "attest/keystore/pkcs11_session.hpp"

namespace casemate::keystore {
namespace {

class Pkcs11Key final : public cose::SigningKey {
public:
    Pkcs11Key(std::shared_ptr<Pkcs11Module> module, Uri uri, Secret pin, std::unique_ptr<Pkcs11Session> session)
        : module_{std::move(module)}, uri_{std::move(uri)}, pin_{std::move(pin)}, session_{std::move(session)},
          point_{session_->point()} {}

    [[nodiscard]] const cose::PublicPoint& public_key() const override { return point_; }
    [[nodiscard]] bool is_device() const override { return true; }

    [[nodiscard]] Result<cose::RawSignature, cose::SignError> sign_digest(ByteView digest) const override {
        const std::lock_guard guard{lock_};
        if (locked_out_) return Failure{cose::SignError::device_locked};
        if (session_) {
            const auto signature = session_->sign(digest);
            if (signature) return signature.value();
            session_.reset();
        }
        TRY(open_again());
        const auto signature = session_->sign(digest);
        if (!signature) return Failure{signature.error().kind};
        return signature.value();
    }

private:
    /// The same key, or none.
    [[nodiscard]] Status<cose::SignError> open_again() const {
        auto opened = Pkcs11Session::open(module_, *uri_, pin_);
        if (!opened) {
            locked_out_ = opened.error().kind == cose::SignError::device_locked;
            return Failure{opened.error().kind};
        }
        if (opened.value()->point() != point_) return Failure{cose::SignError::device_key};
        session_ = std::move(opened).value();
        return Done{};
    }

    const std::shared_ptr<Pkcs11Module> module_;
    const Uri uri_;
    const Secret pin_;
    mutable std::mutex lock_;
    mutable std::unique_ptr<Pkcs11Session> session_;
    mutable bool locked_out_ = false;
    const cose::PublicPoint point_;
};

} // namespace

Result<std::shared_ptr<const cose::SigningKey>, std::string> open_pkcs11_key(const std::string& text, Secret pin) {
    Uri uri{p11_kit_uri_new(), &p11_kit_uri_free};
    if (p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.get()) != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri.get()) != 0)
        return Failure{std::string{"this is not a PKCS#11 URI that names a key [RFC 7512]"}};
    const char* path = p11_kit_uri_get_module_path(uri.get());
    if (path == nullptr || path[0] != '/') return Failure{std::string{"a PKCS#11 URI needs ?module-path=/... of the token's library"}};
    auto module = Pkcs11Module::load(path);
    if (!module) return Failure{module.error().sentence};
    auto session = Pkcs11Session::open(module.value(), *uri, pin);
    if (!session) return Failure{"PKCS#11: " + session.error().sentence};
    return std::shared_ptr<const cose::SigningKey>{std::make_shared<Pkcs11Key>(
        std::move(module).value(), std::move(uri), std::move(pin), std::move(session).value())};
}

} // namespace casemate::keystore
