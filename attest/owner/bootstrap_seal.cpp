// SPDX-License-Identifier: Apache-2.0
// See bootstrap_seal.hpp.
#include "attest/owner/bootstrap_seal.hpp"

#include "attest/grant/grant.hpp"
#include "attest/owner/reference_state.hpp"
#include "attest/verifier/encoding.hpp"

namespace casemate::owner {
namespace {

Outcome<grant::Claims> claims_of(ByteView message, const policy::Policy& policy) {
    const auto key = measure::P256PublicKey::create(policy.grant_key);
    if (!key.ok()) return fail("the policy names no verifier");
    const auto verified = grant::verify(message, key.value());
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

} // namespace

Outcome<Bytes> seal_bootstrap(const PlatformRecord& platform, ByteView grant, const verifier::Json& reference, const cose::Signer& owner) {
    TRY(expect_owner(reference, owner.public_key()));
    const auto policy = TRY(policy_of(reference));
    const grant::Claims claims = TRY(claims_of(grant, *policy));
    if (verifier::to_hex(claims.platform_id) != platform.platform_id()) return fail("the grant is for another platform");
    const std::string vm = vm_named_by(reference, claims.vm_id);
    TRY(expect_allowed(claims, *policy, vm));
    secret::Circumstances at = TRY(circumstances_of(reference, vm));
    at.nv_index = platform.epoch_counter;
    at.last_epoch = platform.epoch;
    const secret::Destination destination{.name = std::string{policy::bootstrap_secret}, .vm = vm, .parent = platform.endorsement_key, .modulus = platform.modulus};
    const auto sealed = secret::seal(destination, measure::sha256(grant), owner);
    if (!sealed.ok()) return fail(std::string{"cannot seal the grant: "} + secret::describe(sealed.error()));
    const auto approval = secret::approve(vm, at, owner);
    if (!approval.ok()) return fail(std::string{"cannot approve the state: "} + secret::describe(approval.error()));
    return request_of(grant, sealed.value(), approval.value());
}

} // namespace casemate::owner
