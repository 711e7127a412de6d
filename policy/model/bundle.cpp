// SPDX-License-Identifier: Apache-2.0
// See bundle.hpp.
#include "policy/model/bundle.hpp"

#include "hypervisor/base/cbor_reader.hpp"

namespace casemate::policy {
namespace {

BundleError read_owners(Bundle& bundle) {
    const bool one = bundle.message.is_sign1; // one owner has one form
    CborReader header{bundle.message.protected_header};
    header.expect_map(one ? 2 : 1);
    if (one) header.expect_key(cose::header_algorithm);
    if (one && header.integer() != cose::es256) header.fail();
    header.expect_key(header_owner_key);
    const ByteView owners = header.bytes(max_owner_set);
    if (!header.finished() || one != (owners.size() == public_key_size)) return BundleError::header;
    return bundle.owners.read(owners) ? BundleError::none : BundleError::owner_key;
}

/// Each signer stands behind the one before him in the set, and there are no more than the set demands.
BundleError read_signers(Bundle& bundle) {
    std::size_t next = 0;
    bool good = bundle.message.count <= bundle.owners.threshold();
    for (std::size_t i = 0; i < bundle.message.count && !bundle.message.is_sign1; ++i) {
        const std::size_t place = bundle.signer(i);
        good = good && equal(bundle.message.signatures[i].protected_header, signer_header(bundle.signer(i))) && place >= next && place < bundle.owners.count();
        next = place + 1;
    }
    return good ? BundleError::none : BundleError::signer;
}

} // namespace

Result<Bundle, BundleError> open_bundle(ByteView bytes) {
    Bundle bundle;
    if (bytes.size() > max_bundle) return Failure{BundleError::too_large};
    if (!cose::read_sign(bytes, bundle.message)) return Failure{BundleError::shape};
    BundleError error = read_owners(bundle);
    if (error == BundleError::none) error = read_signers(bundle);
    if (error != BundleError::none) return Failure{error};
    return bundle;
}

Status<BundleError> verify_bundle(const Bundle& bundle) {
    for (std::size_t i = 0; i < bundle.message.count; ++i) {
        const auto key = measure::P256PublicKey::create(bundle.owners.key(bundle.signer(i)));
        if (!key.ok()) return Failure{BundleError::owner_key};
        if (!cose::verify(bundle.message.signed_bytes(i), bundle.signature(i), key.value())) return Failure{BundleError::signature};
    }
    if (bundle.message.count < bundle.owners.threshold()) return Failure{BundleError::threshold};
    return Done{};
}

ByteView encode_bundle_header(ByteView owners, ByteSpan buffer) {
    const bool one = owners.size() == public_key_size;
    CborWriter out{buffer};
    out.map(one ? 2 : 1);
    if (one) out.key(cose::header_algorithm), out.integer(cose::es256);
    out.key(header_owner_key), out.bytes(owners);
    return out.ok() ? out.written() : ByteView{};
}

std::array<std::uint8_t, 6> signer_header(std::uint8_t place) {
    return {0xa2, 0x01, 0x26, 0x04, 0x41, place};
}

} // namespace casemate::policy
