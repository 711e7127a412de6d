// SPDX-License-Identifier: Apache-2.0
#include "policy/compiler/decompile.hpp"
#include "policy/compiler/pci_text.hpp"
#include "policy/compiler/questions.hpp"
#include "policy/compiler/toml_source.hpp"
#include "tests/unit/policy_sample.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace casemate::policy;
using casemate::test::encoded;
using casemate::test::sample_policy;
using casemate::test::sample_vm;
using casemate::test::set;
using Sentences = std::vector<std::string>;

namespace {

/// agent, net0, two clients in a row: client1 - net0 - client2; a third VM that is linked to nobody.
Policy linked_policy() {
    Policy policy = sample_policy();
    for (const char* name : {"client1", "client2", "alone"}) {
        policy.vms[policy.vm_count] = sample_vm(name, Role::client);
        ++policy.vm_count;
    }
    policy.link_count = 2;
    policy.links[0] = {1, 2};
    policy.links[1] = {1, 3};
    return policy;
}

casemate::DeviceAddress address(std::string_view text) { return *parse_address(text); }

} // namespace

TEST_CASE("a decompiled policy compiles to the same bytes", "[policy]") {
    auto policy = std::make_unique<Policy>(linked_policy());
    set(policy->vms[1].command_line, R"(console=ttyS0 a="b c" d=\e)");
    policy->vms[1].restart = Restart::warm;
    policy->vms[1].weight = 250;
    policy->vms[1].secret_count = 1;
    set(policy->vms[1].secrets[0], "tunnel-key");
    policy->vms[0].cap = 40;
    policy->devices[1].rights = right_dma;
    policy->devices[1].address = {1, 2, 3, 4};
    policy->conflict_count = 1;
    policy->conflicts[0].members = 1 << 2 | 1 << 4;
    REQUIRE(validate(*policy).ok());
    const std::string toml = decompile(*policy);
    const auto source = std::make_unique<Source>(read_source(toml, policy->grant_key));
    for (const Problem& problem : source->problems) UNSCOPED_INFO(problem.line << ": " << problem.what);
    REQUIRE(source->problems.empty());
    CHECK(encoded(source->policy) == encoded(*policy));
    CHECK(decompile(source->policy) == toml);
}

TEST_CASE("who can hold a device is who the policy names, with what it may do", "[policy]") {
    const Policy policy = linked_policy();
    const Answer answer = who_can_hold(policy, address("00:03.0"));
    CHECK(answer.yes);
    CHECK(answer.sentences == Sentences{"net0 may hold 00:03.0 (8086:10d3) with dma, interrupts and mmio, for 60 s a lease at most"});
    const Answer nobody = who_can_hold(policy, address("00:05.0"));
    CHECK_FALSE(nobody.yes);
    CHECK(nobody.sentences == Sentences{"nobody: the policy does not name 00:05.0"});
}

TEST_CASE("two VMs can talk over a link, and the way over others is named", "[policy]") {
    const Policy policy = linked_policy();
    CHECK(can_talk(policy, "client1", "net0").yes);
    CHECK(can_talk(policy, "net0", "client1").sentences == Sentences{"yes: net0 and client1 have a link"});
    const Answer indirect = can_talk(policy, "client1", "client2");
    CHECK_FALSE(indirect.yes);
    CHECK(indirect.sentences == Sentences{"no: there is no link between them; what they can tell each other goes by way of net0"});
    CHECK(can_talk(policy, "client1", "alone").sentences == Sentences{"no: there is no link between them, nor a way over others"});
    Policy forbidden = policy;
    forbidden.conflict_count = 1;
    forbidden.conflicts[0].members = 1 << 2 | 1 << 4;
    CHECK(can_talk(forbidden, "alone", "client1").sentences ==
          Sentences{"no: there is no link between them, nor a way over others; and there may be none: a conflict of interest is declared between client1 and alone"});
    CHECK(difference(policy, forbidden).sentences == Sentences{"conflict of interest between alone and client1 is new"});
    CHECK(can_talk(policy, "client1", "nobody").sentences == Sentences{"no: the policy has no VM 'nobody'"});
    CHECK_FALSE(can_talk(policy, "client1", "client1").yes);
}

TEST_CASE("two policies differ in what their sentences say and in nothing else", "[policy]") {
    const Policy before = linked_policy();
    CHECK(difference(before, before).yes);
    Policy after = before;
    after.epoch = 8;
    after.vms[1].memory_mib = 256;
    after.devices[0].holders[0] = 2;
    after.device_count = 1;
    after.links[1] = {1, 4};
    const Answer answer = difference(before, after);
    CHECK_FALSE(answer.yes);
    CHECK(answer.sentences == Sentences{"VM net0: memory was 128 MiB, is 256 MiB", "device 00:03.0: holders was net0, is client1", "device 00:04.0 is gone",
                                        "link between client2 and net0 is gone", "the policy: epoch was 7, is 8", "link between alone and net0 is new"});
    Policy other_verifier = before;
    other_verifier.grant_key[5] ^= 1;
    CHECK(difference(before, other_verifier).sentences == Sentences{"the policy: another verifier signs the grants"});
}

TEST_CASE("every value of a VM and a device is compared", "[policy]") {
    const Policy before = linked_policy();
    const auto differs = [&](auto change) {
        Policy after = before;
        change(after);
        return difference(before, after).sentences.size() == 1;
    };
    CHECK(differs([](Policy& p) { p.vms[1].role = Role::client; }));
    CHECK(differs([](Policy& p) { set(p.vms[1].kernel, "other"); }));
    CHECK(differs([](Policy& p) { set(p.vms[1].initrd, "other"); }));
    CHECK(differs([](Policy& p) { set(p.vms[1].command_line, "other"); }));
    CHECK(differs([](Policy& p) { p.vms[1].core = 0; }));
    CHECK(differs([](Policy& p) { p.vms[1].placement = Placement::shared; }));
    CHECK(differs([](Policy& p) { p.vms[1].weight = 7; }));
    CHECK(differs([](Policy& p) { p.vms[1].cap = 7; }));
    CHECK(differs([](Policy& p) { p.vms[1].restart = Restart::warm; }));
    CHECK(differs([](Policy& p) { set(p.vms[1].secrets[p.vms[1].secret_count++], "key"); }));
    CHECK(differs([](Policy& p) { p.vms[1].restart_limit = 7; }));
    CHECK(differs([](Policy& p) { p.vms[1].quiet_seconds = 7; }));
    CHECK(differs([](Policy& p) { p.devices[0].resets = 7; }));
    CHECK(differs([](Policy& p) { p.attestation_interval = 7; }));
    CHECK(differs([](Policy& p) { p.tpm_commands[p.tpm_command_count++] = 0x158; }));
    CHECK(differs([](Policy& p) { p.devices[0].vendor = 7; }));
    CHECK(differs([](Policy& p) { p.devices[0].rights = right_dma; }));
    CHECK(differs([](Policy& p) { p.devices[0].max_lease = 7; }));
    CHECK(differs([](Policy& p) { p.devices[0].bootstrap_lease = 7; }));
}
