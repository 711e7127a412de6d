// SPDX-License-Identifier: Apache-2.0
// The change of a signing key with overlap: its successor lies beside it as NAME.next until everybody knows it, then takes its name.
// Invariant: no key is lost: the old one stays in the directory as NAME.old-ID. Called by main.cpp.
#pragma once

#include "attest/cose/signer.hpp"
#include "keys/key_files.hpp"

namespace casemate::keys {

/// A signing key: NAME.pem, NAME.pub.pem and NAME.crt.pem, self-signed, good for `days` (keys that are there keep their certificate).
void make_signing_key(const PrivateDirectory& directory, const std::string& name, Purpose purpose, int days);

/// NAME.pub.pem and NAME.crt.pem of a key in a device, which has no NAME.pem. Refused where NAME.pem is: one name is one key.
void certify_device_key(const PrivateDirectory& directory, const std::string& name, const cose::Signer& device, int days);

/// Makes NAME.next.* beside the files of NAME, which must be there.
void begin_rotation(const PrivateDirectory& directory, const std::string& name, Purpose purpose, int days);
/// Moves NAME.* to NAME.old-ID.* and NAME.next.* to NAME.*; ended by a power cut, it is run again. Returns the old key's id.
std::string finish_rotation(const PrivateDirectory& directory, const std::string& name, Purpose purpose);

} // namespace casemate::keys
