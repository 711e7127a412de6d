// SPDX-License-Identifier: Apache-2.0
#include "attest/cose/signer.hpp"
#include "policy/model/bundle.hpp"
#include "policy/model/vm_definition.hpp"
#include "tests/unit/hex.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <set>
#include <string>

using namespace casemate;
using namespace casemate::policy;
using casemate::test::encoded;
using casemate::test::from_hex;
using casemate::test::sample_policy;
using casemate::test::to_hex;

namespace {

using Bytes = std::vector<std::uint8_t>;

const cose::Signer& owner() {
    static const cose::Signer key = cose::Signer::generate().value();
    return key;
}

Bytes header_of(ByteView owner_key) {
    Bytes buffer(cose::max_protected);
    buffer.resize(encode_bundle_header(owner_key, buffer).size());
    return buffer;
}

Bytes signed_with(const Bytes& header, const Bytes& payload) { return owner().sign_message(header, payload).value(); }
Bytes sample_bundle() { return signed_with(header_of(owner().public_key()), encoded(sample_policy())); }

BundleError error_of(ByteView bytes) {
    const auto bundle = open_bundle(bytes);
    if (!bundle.ok()) return bundle.error();
    const auto verified = verify_bundle(bundle.value());
    return verified.ok() ? BundleError::none : verified.error();
}

} // namespace

TEST_CASE("a signed bundle opens, verifies and yields the policy", "[policy]") {
    const Bytes bytes = sample_bundle();
    const auto bundle = open_bundle(bytes);
    REQUIRE(bundle.ok());
    CHECK(equal(bundle.value().owners.bytes(), owner().public_key()));
    CHECK(bundle.value().signature().size() == 64);
    REQUIRE(verify_bundle(bundle.value()).ok());
    const auto policy = std::make_unique<Policy>();
    REQUIRE(parse_policy(bundle.value().payload(), *policy).ok());
    CHECK(encoded(*policy) == encoded(sample_policy()));
}

TEST_CASE("every truncation of a bundle and every appended byte is refused", "[policy]") {
    Bytes bytes = sample_bundle();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK(error_of(ByteView{bytes}.first(size)) == BundleError::shape);
    bytes.push_back(0);
    CHECK(error_of(bytes) == BundleError::shape);
}

TEST_CASE("every single flipped bit of a bundle is refused", "[policy]") {
    Bytes bytes = sample_bundle();
    std::set<BundleError> seen;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        const BundleError error = error_of(bytes);
        if (error == BundleError::none) FAIL("accepted with bit " << bit << " flipped");
        seen.insert(error);
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
    CHECK(seen.count(BundleError::header) == 1);
    CHECK(seen.count(BundleError::signature) == 1);
}

TEST_CASE("a bundle signed by another key than it names is refused", "[policy]") {
    const auto other = cose::Signer::generate().value();
    CHECK(error_of(signed_with(header_of(other.public_key()), encoded(sample_policy()))) == BundleError::signature);
}

TEST_CASE("every rule about the bundle has its own error", "[policy]") {
    const Bytes payload = encoded(sample_policy());
    CHECK(error_of(Bytes(max_bundle + 1)) == BundleError::too_large);
    CHECK(error_of(Bytes{}) == BundleError::shape);
    CHECK(error_of(signed_with(from_hex("a10126"), payload)) == BundleError::header);
    Bytes es384 = header_of(owner().public_key());
    REQUIRE(es384[2] == 0x26);
    es384[2] = 0x27; // -8, EdDSA
    CHECK(error_of(signed_with(es384, payload)) == BundleError::header);
    Bytes compressed(owner().public_key().begin(), owner().public_key().end());
    compressed[0] = 2;
    CHECK(error_of(signed_with(header_of(compressed), payload)) == BundleError::owner_key);
}

TEST_CASE("a VM definition has the documented encoding", "[policy]") {
    ImageDigests images{};
    images.kernel.fill(0x11);
    images.initrd.fill(0x22);
    const Policy policy = sample_policy();
    std::uint8_t buffer[max_vm_definition];
    const ByteView definition = encode_vm_definition(policy.vms[1], images, buffer);
    CHECK(to_hex(definition) == "a700646e6574300101025820" + std::string(64, '1') + "035820" + std::string(64, '2') +
                                    "0473636f6e736f6c653d747479533020717569657405188006" "01");
    CHECK(vm_id(definition) == measure::sha256(definition));
}

TEST_CASE("the largest VM definition fits its buffer", "[policy]") {
    Vm vm = sample_policy().vms[1];
    casemate::test::set(vm.name, std::string(max_vm_name, 'a'));
    casemate::test::set(vm.command_line, std::string(max_command_line, 'a'));
    vm.memory_mib = max_memory_mib;
    std::uint8_t buffer[max_vm_definition];
    CHECK_FALSE(encode_vm_definition(vm, {}, buffer).empty());
}
