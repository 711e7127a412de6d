// SPDX-License-Identifier: Apache-2.0
// See bootstrap_seal.hpp.
#include "attest/owner/bootstrap_seal.hpp"

#include "attest/owner/reference_state.hpp"
#include "attest/verifier/encoding.hpp"

#include <optional>

namespace casemate::owner {
namespace {

Outcome<grant::Claims> claims_of(ByteView message, const policy::Policy& policy) {
    const auto keys = grant::Keys::create(policy.grant_key, policy.has_next_grant_key(), policy.next_grant_key);
    if (!keys.ok()) return fail("the policy names no verifier");
    const auto verified = grant::verify(message, keys.value());
    if (!verified.ok()) return fail(std::string{"this is no grant by the verifier that the policy names: "} + grant::describe(verified.error()));
    if (verified.value().claims().type != grant::Type::bootstrap) return fail("this is no bootstrap grant");
    return verified.value().claims();
}

/// What custody will ask too; here it has a sentence.
Status<Error> expect_allowed(const grant::Claims& claims, const policy::Policy& policy, const std::string& vm) {
    if (policy.receiver_of(policy::bootstrap_secret, vm) == policy.vm_count) return fail("the grant's VM is none that this policy lets be bootstrapped: build, and ask the verifier again");
    for (std::size_t i = 0; i < policy.device_count; ++i) {
        const policy::Device& device = policy.devices[i];
        if (device.address != claims.device) continue;
        if (claims.epoch != policy.epoch) return fail("the grant is for policy epoch " + std::to_string(claims.epoch) + ", this policy has " + std::to_string(policy.epoch));
        if (claims.lease > device.bootstrap_lease) return fail("the grant is for longer than the policy's bootstrap lease");
        return Done{};
    }
    return fail("the grant's device is not in this policy");
}

/// What the owner vouches for: that launch, that VM, that platform's counter.
Outcome<secret::Circumstances> approved_state(const PlatformRecord& platform, const verifier::Json& reference, const std::string& vm) {
    secret::Circumstances at = TRY(circumstances_of(reference, vm));
    at.nv_index = platform.epoch_counter;
    at.last_epoch = platform.epoch;
    return at;
}

Bytes request_of(ByteView grant, ByteView sealed, ByteView approval) {
    Bytes request(8 + grant.size() + sealed.size() + approval.size());
    LittleEndianWriter out{request};
    for (const ByteView part : {grant, sealed}) {
        out.u32(static_cast<std::uint32_t>(part.size()));
        out.bytes(part);
    }
    out.bytes(approval);
    return request;
}

struct Parts {
    ByteView grant, sealed, approval;
};

/// UNTRUSTED.
std::optional<Parts> parts_of(ByteView message) {
    LittleEndianReader in{message};
    Parts parts;
    for (ByteView* const part : {&parts.grant, &parts.sealed}) *part = in.bytes(in.u32());
    parts.approval = in.bytes(in.remaining());
    return in.ok() ? std::optional{parts} : std::nullopt;
}

bool is_sealed_to(const PlatformRecord& platform, ByteView sealed, const std::string& vm, const measure::P256PublicKey& owner) {
    const auto opened = secret::open_secret(sealed, owner);
    return opened.ok() && opened.value().name == policy::bootstrap_secret && opened.value().vm == vm &&
           opened.value().parent == platform.endorsement_key && equal(opened.value().modulus, platform.modulus);
}

bool is_approved(const secret::Circumstances& at, ByteView message, const std::string& vm, const measure::P256PublicKey& owner) {
    const auto approval = secret::read_approval(message);
    return approval.ok() && approval.value().vm == vm && approval.value().nv_index == at.nv_index && approval.value().last_epoch == at.last_epoch &&
           approval.value().approved_policy == secret::expected_policy(at) &&
           owner.verify(secret::approval_digest(approval.value().approved_policy, vm), approval.value().signature);
}

} // namespace

Outcome<BootstrapGrant> open_bootstrap(const PlatformRecord& platform, ByteView grant, const verifier::Json& reference) {
    const auto policy = TRY(policy_of(reference));
    BootstrapGrant opened{TRY(claims_of(grant, *policy)), {}};
    if (verifier::to_hex(opened.claims.platform_id) != platform.platform_id()) return fail("the grant is for another platform");
    opened.vm = vm_named_by(reference, opened.claims.vm_id);
    TRY(expect_allowed(opened.claims, *policy, opened.vm));
    return opened;
}

Outcome<Bytes> seal_bootstrap(const PlatformRecord& platform, ByteView grant, const verifier::Json& reference, const cose::Signer& owner) {
    TRY(expect_owner(reference, owner.public_key()));
    const std::string vm = TRY(open_bootstrap(platform, grant, reference)).vm;
    const secret::Circumstances at = TRY(approved_state(platform, reference, vm));
    const secret::Destination destination{.name = std::string{policy::bootstrap_secret}, .vm = vm, .parent = platform.endorsement_key, .modulus = platform.modulus};
    const auto sealed = secret::seal(destination, measure::sha256(grant), owner);
    if (!sealed.ok()) return fail(std::string{"cannot seal the grant: "} + secret::describe(sealed.error()));
    const auto approval = secret::approve(vm, at, owner);
    if (!approval.ok()) return fail(std::string{"cannot approve the state: "} + secret::describe(approval.error()));
    return request_of(grant, sealed.value(), approval.value());
}

Outcome<BootstrapGrant> sealed_bootstrap(const PlatformRecord& platform, ByteView message, const verifier::Json& reference, ByteView owner) {
    TRY(expect_owner(reference, owner));
    const auto key = measure::P256PublicKey::create(owner);
    const auto parts = parts_of(message);
    if (!key.ok() || !parts) return fail("this is no sealed bootstrap grant");
    BootstrapGrant opened = TRY(open_bootstrap(platform, parts->grant, reference));
    const secret::Circumstances at = TRY(approved_state(platform, reference, opened.vm));
    if (!is_sealed_to(platform, parts->sealed, opened.vm, key.value())) return fail("the grant is not sealed to this platform by this owner");
    if (!is_approved(at, parts->approval, opened.vm, key.value())) return fail("the grant is sealed for another state, or for an epoch that is over");
    return opened;
}

} // namespace casemate::owner
