// SPDX-License-Identifier: Apache-2.0
// Owning handles for the OpenSSL objects that the key tool uses, and its one error type.
// Host only. An OpenSSL call that fails here is a broken installation or a broken file: it ends the command.
#pragma once

#include "dlaunch/measure/openssl_releaser.hpp"

#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdexcept>
#include <string>

namespace casemate::keys {

/// Ends the command with one sentence for the user.
class KeyError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

using PrivateKey = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Releaser<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Releaser<X509_EXTENSION_free>>;
using MemoryBio = std::unique_ptr<BIO, Releaser<BIO_free_all>>;

/// `what` completes the sentence "OpenSSL cannot ...".
inline void require(bool done, const char* what) {
    if (!done) throw KeyError{std::string{"OpenSSL cannot "} + what};
}

} // namespace casemate::keys
