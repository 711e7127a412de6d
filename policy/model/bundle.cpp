// SPDX-License-Identifier: Apache-2.0
// See bundle.hpp.
#include "policy/model/bundle.hpp"

#include "hypervisor/base/cbor_reader.hpp"

namespace casemate::policy {

Result<Bundle, BundleError> open_bundle(ByteView bytes) {
    if (bytes.size() > max_bundle) return Failure{BundleError::too_large};
    const auto message = cose::read_sign1(bytes);
    if (!message.ok()) return Failure{BundleError::shape};
    CborReader header{message.value().protected_header};
    header.expect_map(2);
    header.expect_key(cose::header_algorithm);
    const std::int64_t algorithm = header.integer();
    header.expect_key(header_owner_key);
    const ByteView owner_key = header.bytes_exactly(public_key_size);
    if (!header.finished() || algorithm != cose::es256) return Failure{BundleError::header};
    return Bundle{message.value(), owner_key};
}

Status<BundleError> verify_bundle(const Bundle& bundle) {
    const auto key = measure::P256PublicKey::create(bundle.owner_key);
    if (!key.ok()) return Failure{BundleError::owner_key};
    if (!cose::verify(bundle.message, key.value())) return Failure{BundleError::signature};
    return Done{};
}

ByteView encode_bundle_header(ByteView owner_key, ByteSpan buffer) {
    CborWriter out{buffer};
    out.map(2);
    out.key(cose::header_algorithm), out.integer(cose::es256);
    out.key(header_owner_key), out.bytes(owner_key);
    return out.ok() ? out.written() : ByteView{};
}

} // namespace casemate::policy
