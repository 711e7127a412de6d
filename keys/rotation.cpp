// SPDX-License-Identifier: Apache-2.0
// See rotation.hpp.
#include "keys/rotation.hpp"

#include "attest/cose/key_certificate.hpp"
#include "attest/cose/signer.hpp"
#include "dlaunch/measure/hex.hpp"
#include "keys/certificates.hpp"

namespace casemate::keys {
namespace {

// The private key is moved last each time: what is left after a cut still shows which step comes next.
constexpr const char* suffixes[] = {".crt.pem", ".pub.pem", ".pem"};

std::string id_of(const PrivateDirectory& directory, const std::string& name) {
    const auto pem = directory.read(name + ".pem");
    if (!pem) throw KeyError{"there is no key " + name};
    const auto signer = cose::Signer::from_pem(*pem);
    if (!signer.ok()) throw KeyError{name + ".pem: " + cose::describe(signer.error())};
    return measure::to_hex(cose::key_id(signer.value().public_key()));
}

void move_all(const PrivateDirectory& directory, const std::string& from, const std::string& to) {
    for (const char* suffix : suffixes)
        if (directory.read(from + suffix)) directory.move(from + suffix, to + suffix);
}

} // namespace

void make_signing_key(const PrivateDirectory& directory, const std::string& name, Purpose purpose, int days) {
    const PrivateKey key = ensure_private_key(directory, name + ".pem", purpose);
    ensure_public_key(directory, name + ".pub.pem", *key, purpose);
    ensure_signing_certificate(directory, name + ".crt.pem", name, *key, purpose, days);
}

void certify_device_key(const PrivateDirectory& directory, const std::string& name, const cose::Signer& device, int days) {
    if (directory.read(name + ".pem")) throw KeyError{name + ".pem is there: that name is a key's in a file"};
    const PrivateKey key = public_key_of(device.public_key());
    ensure_public_key(directory, name + ".pub.pem", *key, Purpose::production);
    ensure_device_certificate(directory, name + ".crt.pem", name, *key, device, days);
}

void begin_rotation(const PrivateDirectory& directory, const std::string& name, Purpose purpose, int days) {
    (void)id_of(directory, name);
    make_signing_key(directory, name + ".next", purpose, days);
}

std::string finish_rotation(const PrivateDirectory& directory, const std::string& name, Purpose purpose) {
    const std::string next = name + ".next";
    if (directory.read(name + ".pem")) {
        const std::string old = id_of(directory, name);
        if (!directory.read(next + ".pem")) throw KeyError{"there is no " + next + ".pem: casemate keys rotate makes it"};
        move_all(directory, name, name + ".old-" + old.substr(0, 16));
    }
    move_all(directory, next, name);
    const PrivateKey key = ensure_private_key(directory, name + ".pem", purpose);
    ensure_public_key(directory, name + ".pub.pem", *key, purpose);
    return id_of(directory, name);
}

} // namespace casemate::keys
