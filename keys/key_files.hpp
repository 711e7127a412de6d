// SPDX-License-Identifier: Apache-2.0
// P-256 keys and tokens as files of a PrivateDirectory. `ensure_*` keeps what is there and makes what is not.
#pragma once

#include "attest/cose/signing_key.hpp"
#include "keys/openssl_handles.hpp"
#include "keys/private_directory.hpp"

#include <string>

namespace casemate::keys {

enum class Purpose { production, development };

/// The line before the PEM block of a development key or its certificate.
std::string_view mark_of(Purpose purpose);

/// The private key in `name` (PEM, PKCS #8), made when absent. A development key has its mark before
/// the PEM block (attest/cose/signer.hpp); for production, none with it is taken.
PrivateKey ensure_private_key(const PrivateDirectory& directory, const std::string& name, Purpose purpose);
/// The public key with that point, as OpenSSL has it.
PrivateKey public_key_of(const cose::PublicPoint& point);
/// Writes the public half (PEM, SubjectPublicKeyInfo); refuses an existing one of another key.
void ensure_public_key(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key, Purpose purpose);
/// 32 random bytes in hexadecimal.
void ensure_token(const PrivateDirectory& directory, const std::string& name);

/// What `write` puts into a memory BIO, as text.
std::string contents(BIO& bio);

} // namespace casemate::keys
