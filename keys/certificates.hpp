// SPDX-License-Identifier: Apache-2.0
// The development TLS certificates of the verifier: an authority of its own and a server certificate for this host, and a
// second authority, for the client certificates of operators.
// Not for production: there the operator's own authority issues them. And the certificates of signing keys, for any purpose.
#pragma once

#include "attest/cose/signer.hpp"
#include "keys/key_files.hpp"

#include <string>

namespace casemate::keys {

/// A self-signed authority over `key`; an existing file must belong to that key.
Certificate ensure_authority(const PrivateDirectory& directory, const std::string& name, const char* common_name, EVP_PKEY& key);

struct Issuer {
    X509& certificate;
    EVP_PKEY& key;
};
/// Of a signing key, self-signed (attest/cose/key_certificate.hpp); an existing file must belong to that key. A development key's has its mark.
void ensure_signing_certificate(const PrivateDirectory& directory, const std::string& name, const std::string& common_name, EVP_PKEY& key,
                                Purpose purpose, int days);

/// The same of a key in a device, which signs it; `key` is its public half.
void ensure_device_certificate(const PrivateDirectory& directory, const std::string& name, const std::string& common_name, EVP_PKEY& key,
                               const cose::Signer& device, int days);

/// A client certificate of an operator.
void ensure_client(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key, Issuer issuer);
/// A server certificate for localhost and 127.0.0.1.
void ensure_server(const PrivateDirectory& directory, const std::string& name, EVP_PKEY& key, Issuer issuer);

} // namespace casemate::keys
