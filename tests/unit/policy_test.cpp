// SPDX-License-Identifier: Apache-2.0
#include "policy/model/payload.hpp"
#include "tests/unit/hex.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <string>

using namespace casemate;
using namespace casemate::policy;
using casemate::test::encoded;
using casemate::test::from_hex;
using casemate::test::sample_policy;
using casemate::test::sample_vm;
using casemate::test::set;
using casemate::test::to_hex;

namespace {

using Bytes = std::vector<std::uint8_t>;
using Change = std::function<void(Policy&)>;

PolicyError error_of(const Bytes& payload) {
    const auto policy = std::make_unique<Policy>();
    const auto parsed = parse_policy(payload, *policy);
    return parsed.ok() ? PolicyError::none : parsed.error().rule;
}

PolicyFault fault_after(const Change& change) {
    Policy policy = sample_policy();
    change(policy);
    const auto valid = validate(policy);
    return valid.ok() ? PolicyFault{} : valid.error();
}

PolicyError rule_broken_by(const Change& change) { return fault_after(change).rule; }

/// The sample without devices, written by python3-cbor2 (canonical=True).
constexpr std::string_view golden =
    "a500010107025841040000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000382a900656167656e7401000267766d6c696e757a03696167656e"
    "742e696d670473636f6e736f6c653d7474795330207175696574051880060007000801a900646e65743001010267766d6c69"
    "6e757a03696167656e742e696d670473636f6e736f6c653d74747953302071756965740518800601070108010480";

} // namespace

TEST_CASE("a policy has the documented encoding", "[policy]") {
    Policy policy = sample_policy();
    policy.device_count = 0;
    CHECK(to_hex(encoded(policy)) == to_hex(from_hex(golden)));
}

TEST_CASE("a policy survives the round trip", "[policy]") {
    const Bytes first = encoded(sample_policy());
    const auto policy = std::make_unique<Policy>();
    REQUIRE(parse_policy(first, *policy).ok());
    CHECK(policy->epoch == 7);
    CHECK(policy->vms[1].name.view() == "net0");
    CHECK(policy->vms[1].placement == Placement::dedicated);
    CHECK(policy->devices[1].address == DeviceAddress{0, 0, 4, 0});
    CHECK(policy->devices[1].vendor == 0x8086);
    CHECK(policy->devices[1].device_id == 0x10d3);
    CHECK(policy->devices[1].may_hold(1));
    CHECK_FALSE(policy->devices[1].may_hold(0));
    CHECK(encoded(*policy) == first);
}

TEST_CASE("every truncation of a policy and every appended byte is refused", "[policy]") {
    const Bytes whole = encoded(sample_policy());
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(error_of(Bytes(whole.begin(), whole.begin() + size)) != PolicyError::none);
    Bytes longer = whole;
    longer.push_back(0);
    CHECK(error_of(longer) == PolicyError::shape);
}

TEST_CASE("a policy of another version is refused by its number", "[policy]") {
    Bytes bytes = encoded(sample_policy());
    bytes[2] = 2;
    CHECK(error_of(bytes) == PolicyError::version);
    CHECK(read_epoch(bytes).error() == PolicyError::version);
}

TEST_CASE("the epoch alone can be read", "[policy]") {
    Bytes bytes = encoded(sample_policy());
    CHECK(read_epoch(bytes).value() == 7);
    bytes[4] = 0;
    CHECK(read_epoch(bytes).error() == PolicyError::epoch);
    CHECK(error_of(bytes) == PolicyError::epoch);
    CHECK(read_epoch(Bytes{0xa5, 0x00, 0x01, 0x01}).error() == PolicyError::shape);
}

TEST_CASE("a holder that is not a VM is refused by the parser", "[policy]") {
    Bytes bytes = encoded(sample_policy());
    REQUIRE(bytes[bytes.size() - 9] == 'n'); // ..., 2: ["net0"], 3: 7, 4: 60
    bytes[bytes.size() - 9] = 'm';
    CHECK(error_of(bytes) == PolicyError::holder_unknown);
}

TEST_CASE("the encoder writes no invalid policy and none that does not fit", "[policy]") {
    Policy policy = sample_policy();
    std::uint8_t small[64];
    CHECK(encode_policy(policy, small).empty());
    policy.vm_count = 0;
    CHECK(encoded(policy).empty());
}

TEST_CASE("every rule about the whole policy has its own error", "[policy]") {
    CHECK(rule_broken_by([](Policy&) {}) == PolicyError::none);
    CHECK(rule_broken_by([](Policy& p) { p.epoch = 0; }) == PolicyError::epoch);
    CHECK(rule_broken_by([](Policy& p) { p.grant_key[0] = 2; }) == PolicyError::grant_key);
    CHECK(rule_broken_by([](Policy& p) { p.vm_count = 0; }) == PolicyError::vm_count);
    CHECK(rule_broken_by([](Policy& p) { p.vm_count = 17; }) == PolicyError::vm_count);
    CHECK(rule_broken_by([](Policy& p) { p.device_count = 33; }) == PolicyError::device_count);
    CHECK(rule_broken_by([](Policy& p) { p.vms[0].role = Role::client; }) == PolicyError::no_agent);
}

TEST_CASE("every rule about a VM has its own error", "[policy]") {
    CHECK(rule_broken_by([](Policy& p) { set(p.vms[1].name, ""); }) == PolicyError::vm_name);
    CHECK(rule_broken_by([](Policy& p) { set(p.vms[1].name, "Net0"); }) == PolicyError::vm_name);
    CHECK(rule_broken_by([](Policy& p) { set(p.vms[1].name, "agent"); }) == PolicyError::vm_name_twice);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].role = Role{3}; }) == PolicyError::role);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].role = Role::agent; }) == PolicyError::two_agents);
    CHECK(rule_broken_by([](Policy& p) { set(p.vms[1].kernel, "../vmlinuz"); }) == PolicyError::file_name);
    CHECK(rule_broken_by([](Policy& p) { set(p.vms[1].initrd, ""); }) == PolicyError::file_name);
    CHECK(rule_broken_by([](Policy& p) { set(p.vms[1].initrd, ".."); }) == PolicyError::file_name);
    CHECK(rule_broken_by([](Policy& p) { set(p.vms[1].command_line, "a\nb"); }) == PolicyError::command_line);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].memory_mib = 14; }) == PolicyError::memory);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].memory_mib = 129; }) == PolicyError::memory);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].memory_mib = 65538; }) == PolicyError::memory);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].core = 64; }) == PolicyError::core);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].placement = Placement{2}; }) == PolicyError::placement);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].vcpus = 2; }) == PolicyError::vcpus);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].core = 0; }) == PolicyError::core_not_shared);
    CHECK(fault_after([](Policy& p) { p.vms[1].vcpus = 2; }).index == 1);
}

TEST_CASE("every rule about a device has its own error", "[policy]") {
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].address.device = 32; }) == PolicyError::device_address);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].address.function = 8; }) == PolicyError::device_address);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].address.device = 3; }) == PolicyError::device_twice);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].vendor = 0xffff; }) == PolicyError::device_id);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].vendor = 0; }) == PolicyError::device_id);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].holder_count = 0; }) == PolicyError::holder_count);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].holder_count = 9; }) == PolicyError::holder_count);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].holders[0] = 2; }) == PolicyError::holder_unknown);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].holders[0] = 0; }) == PolicyError::holder_is_agent);
    CHECK(rule_broken_by([](Policy& p) {
              p.devices[1].holder_count = 2;
              p.devices[1].holders[1] = 1;
          }) == PolicyError::holder_twice);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].rights = 0; }) == PolicyError::rights);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].rights = 8; }) == PolicyError::rights);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].max_lease = 0; }) == PolicyError::lease);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].max_lease = 86401; }) == PolicyError::lease);
    CHECK(fault_after([](Policy& p) { p.devices[1].rights = 0; }).index == 1);
}

TEST_CASE("a value beyond its field is refused, not truncated", "[policy]") {
    Bytes bytes = encoded(sample_policy()); // ends with 4: 60, encoded 18 3c
    bytes.pop_back(), bytes.pop_back();
    for (const std::uint8_t byte : {0x1b, 0, 0, 0, 1, 0, 0, 0, 60}) bytes.push_back(byte);
    CHECK(error_of(bytes) == PolicyError::shape);
}
