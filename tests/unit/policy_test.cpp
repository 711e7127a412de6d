// SPDX-License-Identifier: Apache-2.0
#include "policy/model/payload.hpp"
#include "tests/unit/hex.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
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
    
    "a9000101070258410400000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000382af00656167656e7401000267766d6c696e757a03696167656e742e696d"
    "670473636f6e736f6c653d747479533020717569657405188006000700080109000a18640b18640c800d050e183caf00646e6574"
    "3001010267766d6c696e757a03696167656e742e696d670473636f6e736f6c653d74747953302071756965740518800601070108"
    "0109000a18640b18640c800d050e183c04800580068007000880";
/// The same with two clients and their links.
constexpr std::string_view golden_with_links =
    
    "a9000101070258410400000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000384af00656167656e7401000267766d6c696e757a03696167656e742e696d"
    "670473636f6e736f6c653d747479533020717569657405188006000700080109000a18640b18640c800d050e183caf00646e6574"
    "3001010267766d6c696e757a03696167656e742e696d670473636f6e736f6c653d74747953302071756965740518800601070108"
    "0109000a18640b18640c800d050e183caf0067636c69656e743001020267766d6c696e757a03696167656e742e696d670473636f"
    "6e736f6c653d747479533020717569657405188006000700080109000a18640b18640c800d000e183caf0067636c69656e743101"
    "020267766d6c696e757a03696167656e742e696d670473636f6e736f6c653d747479533020717569657405188006000700080109"
    "000a18640b18640c800d000e183c0480058282646e65743067636c69656e743082646e65743067636c69656e7431068007000880";

/// The sample with two clients of net0.
Policy linked_policy() {
    Policy policy = sample_policy();
    policy.vm_count = 4;
    policy.vms[2] = sample_vm("client0", Role::client);
    policy.vms[3] = sample_vm("client1", Role::client);
    policy.link_count = 2;
    policy.links[0] = {1, 2};
    policy.links[1] = {1, 3};
    return policy;
}

PolicyFault link_fault_after(const Change& change) {
    Policy policy = linked_policy();
    change(policy);
    const auto valid = validate(policy);
    return valid.ok() ? PolicyFault{} : valid.error();
}

} // namespace

TEST_CASE("a policy has the documented encoding", "[policy]") {
    Policy policy = sample_policy();
    policy.device_count = 0;
    CHECK(to_hex(encoded(policy)) == to_hex(from_hex(golden)));
    policy = linked_policy();
    policy.device_count = 0;
    CHECK(to_hex(encoded(policy)) == to_hex(from_hex(golden_with_links)));
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

TEST_CASE("links survive the round trip", "[policy]") {
    const Bytes first = encoded(linked_policy());
    const auto policy = std::make_unique<Policy>();
    REQUIRE(parse_policy(first, *policy).ok());
    REQUIRE(policy->link_count == 2);
    CHECK(policy->links[0].first == 1);
    CHECK(policy->links[0].second == 2);
    CHECK(policy->links[1].ends_at(3));
    CHECK_FALSE(policy->links[1].ends_at(2));
    CHECK(encoded(*policy) == first);
}

TEST_CASE("every truncation of a policy and every appended byte is refused", "[policy]") {
    const Bytes whole = encoded(linked_policy());
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
    CHECK(read_epoch(Bytes{0xa7, 0x00, 0x01, 0x01}).error() == PolicyError::shape);
}

TEST_CASE("a holder that is not a VM is refused by the parser", "[policy]") {
    Bytes bytes = encoded(sample_policy());
    REQUIRE(bytes[bytes.size() - 21] == 'n'); // ..., 2: ["net0"], 3: 7, 4: 60, 5: 15, 6: 0}], 5: [], 6: [], 7: 0, 8: []
    bytes[bytes.size() - 21] = 'm';
    CHECK(error_of(bytes) == PolicyError::holder_unknown);
}

TEST_CASE("a link to a VM that is not there, or with its ends in the other order, is refused by the parser", "[policy]") {
    Bytes bytes = encoded(linked_policy());
    bytes[bytes.size() - 7] = '2'; // ["net0", "client2"]], 6: [], 7: 0, 8: []
    CHECK(error_of(bytes) == PolicyError::link_end_unknown);
    Bytes turned = encoded(linked_policy());
    const std::string_view other_order{"\x67" "client1" "\x64" "net0"};
    std::copy(other_order.begin(), other_order.end(), turned.end() - 6 - static_cast<std::ptrdiff_t>(other_order.size()));
    CHECK(error_of(turned) == PolicyError::link_order);
}

TEST_CASE("a policy without a list of links, or with more than 16, is refused by its shape", "[policy]") {
    Bytes bytes = encoded(sample_policy()); // ends with 5: [], 6: [], 7: 0, 8: []
    bytes.resize(bytes.size() - 6);
    REQUIRE(bytes.back() == 0x80);
    bytes.back() = 0x91;
    for (std::size_t i = 0; i < 17; ++i) bytes.insert(bytes.end(), {0x82, 0x61, 'a', 0x61, 'b'});
    bytes.insert(bytes.end(), {6, 0x80, 7, 0, 8, 0x80});
    CHECK(error_of(bytes) == PolicyError::shape);
    bytes = encoded(sample_policy());
    bytes.erase(bytes.end() - 8, bytes.end() - 6);
    bytes[0] = 0xa8;
    CHECK(error_of(bytes) == PolicyError::shape);
}

TEST_CASE("a policy without a list of conflict sets, or with more than 8, is refused by its shape", "[policy]") {
    Bytes bytes = encoded(sample_policy()); // ends with 6: [], 7: 0, 8: []
    bytes.resize(bytes.size() - 4);
    bytes.back() = 0x89;
    for (std::size_t i = 0; i < 9; ++i) bytes.insert(bytes.end(), {0x82, 0x61, 'a', 0x61, 'b'});
    bytes.insert(bytes.end(), {7, 0, 8, 0x80});
    CHECK(error_of(bytes) == PolicyError::shape);
    bytes = encoded(sample_policy());
    bytes.erase(bytes.end() - 6, bytes.end() - 4);
    bytes[0] = 0xa8;
    CHECK(error_of(bytes) == PolicyError::shape);
}

TEST_CASE("a conflict set survives the round trip and has one spelling", "[policy]") {
    Policy policy = linked_policy();
    policy.links[1] = {2, 3};
    policy.link_count = 0;
    policy.conflict_count = 1;
    policy.conflicts[0].members = 1 << 2 | 1 << 3;
    const Bytes first = encoded(policy);
    const auto again = std::make_unique<Policy>();
    again->conflicts[0].members = 0xffff; // nothing of what was there before counts
    REQUIRE(parse_policy(first, *again).ok());
    CHECK(again->conflicts[0].members == policy.conflicts[0].members);
    CHECK(encoded(*again) == first);
    const std::string_view names{"\x67" "client0" "\x67" "client1"}, turned{"\x67" "client1" "\x67" "client0"}, twice{"\x67" "client0" "\x67" "client0"},
        unknown{"\x67" "client0" "\x67" "client2"};
    REQUIRE(std::equal(names.begin(), names.end(), first.end() - 4 - static_cast<std::ptrdiff_t>(names.size())));
    for (const std::string_view other : {turned, twice, unknown}) {
        Bytes changed = first;
        std::copy(other.begin(), other.end(), changed.end() - 4 - static_cast<std::ptrdiff_t>(other.size()));
        CHECK(error_of(changed) == PolicyError::conflict_members);
    }
}

TEST_CASE("no two VMs of a conflict set reach each other over links, whichever way, nor share a device", "[policy]") {
    // net0 (1) has client0 (2) and client1 (3), client2 (4) and client3 (5) have each other, client4 (6) nobody.
    Policy policy = linked_policy();
    policy.vm_count = 7;
    for (const std::uint8_t vm : {4, 5, 6}) policy.vms[vm] = sample_vm(std::string{"client"} + static_cast<char>('0' + vm), Role::client);
    policy.link_count = 3;
    policy.links[2] = {4, 5};
    policy.conflict_count = 1;
    const auto rule = [&](std::initializer_list<int> members) {
        policy.conflicts[0].members = 0;
        for (const int vm : members) policy.conflicts[0].members |= static_cast<std::uint16_t>(1 << vm);
        const auto valid = validate(policy);
        return valid.ok() ? PolicyError::none : valid.error().rule;
    };
    CHECK(rule({2, 4, 6}) == PolicyError::none);
    CHECK(rule({1, 5, 6}) == PolicyError::none);
    CHECK(rule({2, 1}) == PolicyError::conflict_links); // a link
    CHECK(rule({2, 3}) == PolicyError::conflict_links); // by way of net0, which is in no set
    CHECK(rule({2, 6, 3}) == PolicyError::conflict_links);
    CHECK(rule({4, 5}) == PolicyError::conflict_links);
    policy.links[2] = {3, 4}; // a chain: client0 - net0 - client1 - client4
    CHECK(rule({2, 4}) == PolicyError::conflict_links);
    std::swap(policy.links[0], policy.links[2]); // in whichever order the links stand
    CHECK(rule({2, 4}) == PolicyError::conflict_links);
    CHECK(rule({2, 5}) == PolicyError::none);
    CHECK(rule({2}) == PolicyError::conflict_members);
    CHECK(rule({}) == PolicyError::conflict_members);
    CHECK(rule({2, 7}) == PolicyError::conflict_members);
    policy.devices[0].holder_count = 2;
    policy.devices[0].holders = {5, 6};
    CHECK(rule({5, 6}) == PolicyError::conflict_holders);
    policy.conflict_count = 9;
    CHECK(rule({2, 5}) == PolicyError::conflict_count);
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
    CHECK(rule_broken_by([](Policy& p) { p.link_count = 17; }) == PolicyError::link_count);
    CHECK(rule_broken_by([](Policy& p) { p.vms[0].role = Role::client, p.vms[0].restart_limit = 0; }) == PolicyError::no_agent);
    CHECK(rule_broken_by([](Policy& p) { p.attestation_interval = 86400; }) == PolicyError::none);
    CHECK(rule_broken_by([](Policy& p) { p.attestation_interval = 86401; }) == PolicyError::attestation_interval);
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
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].restart = Restart{2}; }) == PolicyError::restart);
    CHECK(rule_broken_by([](Policy& p) { p.vms[0].restart = Restart::warm; }) == PolicyError::restart_not_driver);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].restart = Restart::warm; }) == PolicyError::none);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].restart_limit = 0; }) == PolicyError::none);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].restart_limit = 9; }) == PolicyError::restart_limit);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].role = Role::client; }) == PolicyError::restart_limit_of_client);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].quiet_seconds = 0; }) == PolicyError::quiet_seconds);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].quiet_seconds = 3601; }) == PolicyError::quiet_seconds);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].weight = 0; }) == PolicyError::weight);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].weight = 10001; }) == PolicyError::weight);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].cap = 0; }) == PolicyError::cap);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].cap = 101; }) == PolicyError::cap);
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
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].resets = 0; }) == PolicyError::resets);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].resets = 16; }) == PolicyError::resets);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].resets = 1 << 1; }) == PolicyError::none);
    CHECK(fault_after([](Policy& p) { p.devices[1].rights = 0; }).index == 1);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].bootstrap_lease = 60; }) == PolicyError::none);
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].bootstrap_lease = 61; }) == PolicyError::bootstrap_lease); // longer than any other
    CHECK(rule_broken_by([](Policy& p) { p.devices[1].max_lease = p.devices[1].bootstrap_lease = 601; }) == PolicyError::bootstrap_lease);
    CHECK(rule_broken_by([](Policy& p) {
              p.devices[1].bootstrap_lease = 60;
              p.vms[1].role = Role::client;
              p.vms[1].restart_limit = 0;
          }) == PolicyError::bootstrap_holder);
}

TEST_CASE("a bootstrap grant is received by a driver VM that may hold a device with a bootstrap lease, and is no secret", "[policy]") {
    Policy policy = sample_policy();
    CHECK(policy.receiver_of(bootstrap_secret, "net0") == policy.vm_count);
    policy.devices[1].bootstrap_lease = 30;
    CHECK(policy.receiver_of(bootstrap_secret, "net0") == 1);
    CHECK(policy.receiver_of(bootstrap_secret, "agent") == policy.vm_count);
    CHECK(rule_broken_by([](Policy& p) {
              p.vms[1].secret_count = 1;
              REQUIRE(p.vms[1].secrets[0].assign(bootstrap_secret));
          }) == PolicyError::secret_names);
}

TEST_CASE("the agent's TPM commands are some of those that an agent may have, ascending, each once", "[policy]") {
    const auto rule = [](std::vector<std::uint32_t> commands) {
        return rule_broken_by([&](Policy& p) {
            p.tpm_command_count = static_cast<std::uint8_t>(commands.size());
            std::copy(commands.begin(), commands.end(), p.tpm_commands.begin());
        });
    };
    CHECK(rule({}) == PolicyError::none);
    CHECK(rule({0x158, 0x17B}) == PolicyError::none);
    CHECK(rule({most_tpm_commands.begin(), most_tpm_commands.end()}) == PolicyError::none);
    CHECK(rule({0x17B, 0x158}) == PolicyError::tpm_commands);
    CHECK(rule({0x158, 0x158}) == PolicyError::tpm_commands);
    for (const std::uint32_t never : {0x182u, 0x13Du, 0x126u, 0x122u, 0x120u, 0x129u, 0u}) // PCR_Extend, PCR_Reset, Clear, NV_UndefineSpace, EvictControl, HierarchyChangeAuth
        CHECK(rule({never}) == PolicyError::tpm_commands);
    CHECK(rule_broken_by([](Policy& p) { p.tpm_command_count = 18; }) == PolicyError::tpm_commands);

    Policy policy = sample_policy();
    policy.attestation_interval = 30;
    policy.tpm_command_count = 2, policy.tpm_commands[0] = 0x158, policy.tpm_commands[1] = 0x17B;
    policy.vms[1].restart_limit = 2, policy.vms[1].quiet_seconds = 7, policy.devices[1].resets = 6;
    const Bytes bytes = encoded(policy);
    const auto again = std::make_unique<Policy>();
    REQUIRE(parse_policy(bytes, *again).ok());
    CHECK(encoded(*again) == bytes);
    CHECK(again->attestation_interval == 30);
    CHECK(std::vector<std::uint32_t>{again->agent_commands().begin(), again->agent_commands().end()} == std::vector<std::uint32_t>{0x158, 0x17B});
    CHECK((again->vms[1].restart_limit == 2 && again->vms[1].quiet_seconds == 7 && again->devices[1].resets == 6));
    CHECK_FALSE(again->devices[1].accepts_reset(0));
    CHECK(again->devices[1].accepts_reset(2));
}

TEST_CASE("a VM's secrets are names in ascending order, each once, and a driver VM's alone", "[policy]") {
    const auto rule = [](std::initializer_list<const char*> names, std::size_t vm = 1) {
        return rule_broken_by([&](Policy& p) {
            for (const char* name : names) set(p.vms[vm].secrets[p.vms[vm].secret_count++], name);
        });
    };
    CHECK(rule({"a-key", "b.key", "b_key", "key4"}) == PolicyError::none);
    CHECK(rule({"b", "a"}) == PolicyError::secret_names);
    CHECK(rule({"a", "a"}) == PolicyError::secret_names);
    CHECK(rule({""}) == PolicyError::secret_names);
    CHECK(rule({"A"}) == PolicyError::secret_names);
    CHECK(rule({"a/b"}) == PolicyError::secret_names);
    CHECK(rule({"a"}, 0) == PolicyError::secrets_not_driver);
    CHECK(rule_broken_by([](Policy& p) { p.vms[1].secret_count = 5; }) == PolicyError::secret_names);

    Policy policy = sample_policy();
    policy.vms[1].secret_count = 2;
    set(policy.vms[1].secrets[0], "tunnel"), set(policy.vms[1].secrets[1], "volume");
    const Bytes bytes = encoded(policy);
    const auto again = std::make_unique<Policy>();
    REQUIRE(parse_policy(bytes, *again).ok());
    CHECK(encoded(*again) == bytes);
    CHECK(again->receiver_of("volume", "net0") == 1);
    CHECK(again->receiver_of("tunnel", "net0") == 1);
    CHECK(again->receiver_of("other", "net0") == again->vm_count);
    CHECK(again->receiver_of("volume", "agent") == again->vm_count);
    CHECK(again->receiver_of("volume", "nobody") == again->vm_count);
}

TEST_CASE("every rule about a link has its own error", "[policy]") {
    const auto rule = [](const Change& change) { return link_fault_after(change).rule; };
    CHECK(rule([](Policy&) {}) == PolicyError::none);
    CHECK(rule([](Policy& p) { p.links[1].second = 4; }) == PolicyError::link_end_unknown);
    CHECK(rule([](Policy& p) { p.links[1].first = 255; }) == PolicyError::link_end_unknown);
    CHECK(rule([](Policy& p) { p.links[1].second = 1; }) == PolicyError::link_to_itself);
    CHECK(rule([](Policy& p) { p.links[1] = {3, 1}; }) == PolicyError::link_order);
    CHECK(rule([](Policy& p) { p.links[1] = {0, 3}; }) == PolicyError::link_to_agent);
    const auto road = [](Policy& p) {
        p.links[1] = {0, 1};
        p.devices[0].holder_count = 1;
        p.devices[0].holders[0] = 1;
    };
    CHECK(rule([&](Policy& p) { road(p); }) == PolicyError::link_to_agent);
    CHECK(rule([&](Policy& p) { road(p), p.devices[0].bootstrap_lease = 30; }) == PolicyError::none); // its road to the verifier
    CHECK(rule([](Policy& p) { p.links[1] = p.links[0]; }) == PolicyError::link_twice);
    CHECK(rule([](Policy& p) { p.links[1] = {2, 3}; }) == PolicyError::none); // two clients may be linked
    CHECK(link_fault_after([](Policy& p) { p.links[1] = p.links[0]; }).index == 1);
}

TEST_CASE("a VM has four links and no fifth, whichever end it is", "[policy]") {
    Policy policy = linked_policy();
    policy.vm_count = 7;
    for (const std::uint8_t vm : {4, 5, 6}) policy.vms[vm] = sample_vm(std::string{"client"} + static_cast<char>('0' + vm), Role::client);
    policy.link_count = 4;
    policy.links[2] = {1, 4};
    policy.links[3] = {1, 5};
    CHECK(validate(policy).ok());
    policy.link_count = 5;
    policy.links[4] = {1, 6};
    CHECK(validate(policy).error().rule == PolicyError::link_ends);
    CHECK(validate(policy).error().index == 4);
    policy.links = {Link{2, 6}, {3, 6}, {4, 6}, {5, 6}, {1, 6}};
    CHECK(validate(policy).error().rule == PolicyError::link_ends);
    policy.link_count = 4;
    CHECK(validate(policy).ok());
}

TEST_CASE("a value beyond its field is refused, not truncated", "[policy]") {
    Bytes bytes = encoded(sample_policy()); // ends with 4: 60, 5: [], 6: [], encoded 18 3c 05 80 06 80
    bytes.resize(bytes.size() - 6);
    for (const std::uint8_t byte : {0x1b, 0, 0, 0, 1, 0, 0, 0, 60, 5, 0x80, 6, 0x80}) bytes.push_back(byte);
    CHECK(error_of(bytes) == PolicyError::shape);
}

TEST_CASE("a policy names one grant key, or two different ones, each in one form", "[policy]") {
    Policy two = sample_policy();
    two.next_grant_key[0] = 4;
    two.next_grant_key[64] = 9;
    const auto one_bytes = encoded(sample_policy()), two_bytes = encoded(two);
    CHECK(two_bytes.size() == one_bytes.size() + 1 + 67); // an array around them, and one more byte string
    const auto parsed = std::make_unique<Policy>();
    REQUIRE(parse_policy(two_bytes, *parsed).ok());
    CHECK(parsed->grant_key == two.grant_key);
    CHECK(parsed->next_grant_key == two.next_grant_key);
    REQUIRE(parse_policy(one_bytes, *parsed).ok()); // nothing is left of the one before
    CHECK_FALSE(parsed->has_next_grant_key());
    CHECK(rule_broken_by([](Policy& p) { p.next_grant_key = p.grant_key; }) == PolicyError::grant_key_twice);
    CHECK(rule_broken_by([](Policy& p) { p.next_grant_key[0] = 2; }) == PolicyError::grant_key);
    auto nobody = two_bytes; // the second key is 65 zeros: not a second form of one key
    const auto at = std::search(nobody.begin(), nobody.end(), two.next_grant_key.begin(), two.next_grant_key.end());
    REQUIRE(at != nobody.end());
    std::fill_n(at, public_key_size, std::uint8_t{0});
    CHECK_FALSE(parse_policy(nobody, *parsed).ok());
}
