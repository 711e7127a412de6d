// SPDX-License-Identifier: Apache-2.0
// See draft.hpp.
#include "policy/compiler/draft.hpp"

namespace casemate::policy {
namespace {

using Outcome = Result<Bytes, std::string>;

constexpr std::size_t signature_room = 16 + cose::max_signer_protected + cose::signature_size;

Failure<std::string> refuse(std::string what) { return {std::move(what)}; }

Outcome encoded(const cose::Sign& message) {
    Bytes buffer(message.payload.size() + cose::max_body_protected + 32 + cose::max_signatures * signature_room);
    CborWriter out{buffer};
    cose::write_sign(out, message);
    if (!out.ok() || out.size() > max_bundle) return refuse("the bundle is larger than 64 KiB");
    buffer.resize(out.size());
    return buffer;
}

/// Where the key stands in the set; owners.count() when it does not.
std::uint8_t place_of(const OwnerSet& owners, ByteView key) {
    std::uint8_t place = 0;
    while (place < owners.count() && !equal(owners.key(place), key)) ++place;
    return place;
}

} // namespace

Outcome sign_alone(ByteView payload, const cose::Signer& owner) {
    Bytes header(cose::max_protected);
    auto bundle = owner.sign_message(encode_bundle_header(owner.public_key(), header), payload);
    if (!bundle.ok()) return refuse(std::string{"cannot sign the policy: "} + cose::describe(bundle.error()));
    if (bundle.value().size() > max_bundle) return refuse("the bundle is larger than 64 KiB");
    return std::move(bundle).value();
}

Outcome make_draft(ByteView payload, ByteView owners) {
    OwnerSet set;
    if (!set.read(owners) || set.is_one()) return refuse("a draft is of several owners");
    Bytes header(cose::max_body_protected);
    cose::Sign message;
    message.protected_header = encode_bundle_header(owners, header);
    message.payload = payload;
    return encoded(message);
}

Outcome add_signature(ByteView draft, ByteView owners, const cose::Signer& owner) {
    const auto opened = open_bundle(draft);
    if (!opened.ok()) return refuse(describe(opened.error()));
    const Bundle& bundle = opened.value();
    const auto verified = verify_bundle(bundle);
    if (verified.ok()) return refuse("it is complete: nobody has to sign it any more");
    if (verified.error() != BundleError::threshold) return refuse(describe(verified.error()));
    if (!equal(bundle.owners.bytes(), owners)) return refuse("it is of other owners, or of another threshold or approval key, than the owners' file");
    const std::uint8_t place = place_of(bundle.owners, owner.public_key());
    if (place == bundle.owners.count()) return refuse("this key is none of its owners'");
    for (std::size_t i = 0; i < bundle.message.count; ++i)
        if (bundle.signer(i) == place) return refuse("this owner has signed it already");

    const auto header = signer_header(place);
    const auto signature = owner.sign(cose::SignedBytes{bundle.message.protected_header, bundle.payload(), header});
    if (!signature.ok()) return refuse(std::string{"cannot sign the policy: "} + cose::describe(signature.error()));
    cose::Sign message = bundle.message;
    std::size_t at = message.count++;
    for (; at > 0 && bundle.signer(at - 1) > place; --at) message.signatures[at] = message.signatures[at - 1];
    message.signatures[at] = {header, signature.value()};
    return encoded(message);
}

} // namespace casemate::policy
