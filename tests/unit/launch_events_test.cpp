// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/measure/ledger_entry.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace casemate;
using namespace casemate::measure;
using casemate::test::from_hex;
using casemate::test::to_hex;

namespace {

template <std::size_t size>
std::array<std::uint8_t, size> filled(std::uint8_t byte) {
    std::array<std::uint8_t, size> bytes;
    bytes.fill(byte);
    return bytes;
}

GateRequest sample_gate() {
    GateRequest gate;
    gate.gate_nonce = filled<32>(1);
    gate.launch_id = filled<32>(2);
    gate.vm_id = filled<32>(3);
    gate.device = {{0, 0, 3, 0}, 0x8086, 0x10d3, 0x8086, 0xa01f, 0x020000};
    gate.isolation = {true, true, ResetKind::none, 4};
    return gate;
}

VmDefinition sample_vm() {
    VmDefinition vm;
    vm.name = "net0";
    vm.role = 1;
    vm.kernel = filled<32>(0xaa);
    vm.initrd = filled<32>(0xbb);
    vm.command_line = "console=ttyS0";
    vm.memory_mib = 256;
    vm.vcpus = 1;
    return vm;
}

std::vector<LedgerEntry> one_of_each_kind() {
    static const std::vector<std::uint8_t> definition = from_hex("a0"), gate = from_hex("a1 00 00");
    const DeviceAddress nic{0, 0, 3, 0};
    std::vector<LedgerEntry> entries;
    entries.push_back({.kind = LedgerKind::launched, .launch_id = filled<32>(7), .launch_kind = launch::LaunchKind::skinit});
    entries.push_back({.kind = LedgerKind::vm_defined, .definition = definition});
    entries.push_back({.kind = LedgerKind::gate_opened, .gate_request = gate});
    entries.push_back({.kind = LedgerKind::grant_accepted, .vm_id = filled<32>(3), .device = nic,
                       .grant_id = filled<16>(4), .lease_seconds = 60, .grant_digest = filled<32>(5)});
    entries.push_back({.kind = LedgerKind::device_reset, .device = nic, .reset_kind = ResetKind::function_level,
                       .worked = true});
    entries.push_back({.kind = LedgerKind::assigned, .vm_id = filled<32>(3), .device = nic, .grant_id = filled<16>(4)});
    entries.push_back({.kind = LedgerKind::vm_started, .vm_id = filled<32>(3), .start_number = 1});
    entries.push_back({.kind = LedgerKind::vm_stopped, .vm_id = filled<32>(3), .cause = Cause::vm_crashed, .reason = 127});
    entries.push_back({.kind = LedgerKind::draining, .vm_id = filled<32>(3), .device = nic, .cause = Cause::revoked});
    entries.push_back({.kind = LedgerKind::quarantined, .device = nic, .tainted_by = filled<32>(3)});
    entries.push_back({.kind = LedgerKind::vm_started, .vm_id = filled<32>(3), .start_number = 2, .snapshot = filled<32>(8)});
    entries.push_back({.kind = LedgerKind::snapshot_taken, .vm_id = filled<32>(3), .snapshot = filled<32>(8)});
    entries.push_back({.kind = LedgerKind::secret_released, .vm_id = filled<32>(3), .name = "disk-key"});
    entries.push_back({.kind = LedgerKind::bootstrap_accepted, .vm_id = filled<32>(3), .device = nic,
                       .grant_id = filled<16>(6), .lease_seconds = 30, .grant_digest = filled<32>(5)});
    for (std::size_t i = 0; i < entries.size(); ++i) {
        entries[i].sequence = i;
        entries[i].time_ms = i * 1000;
    }
    return entries;
}

} // namespace

TEST_CASE("launch events have the documented bytes", "[launch_events]") {
    std::uint8_t buffer[launch_event_size];
    CHECK(to_hex(encode(buffer, SlbEvent{40000})) == to_hex(from_hex("01005343 05000000 a1 00 19 9c40")));
    CHECK(to_hex(encode(buffer, HypervisorEvent{65536})) == to_hex(from_hex("02005343 07000000 a1 00 1a 00010000")));
    CHECK(to_hex(encode(buffer, PolicyEvent{300, 2})) == to_hex(from_hex("04005343 07000000 a2 00 19 012c 01 02")));
    CHECK(to_hex(encode(buffer, OwnerKeyEvent{filled<65>(4)})) ==
          to_hex(from_hex("03005343 45000000 a1 00 58 41")) + to_hex(filled<65>(4)));
    CHECK(encode(ByteSpan{buffer}.first(9), SlbEvent{40000}).empty());
}

TEST_CASE("launch events read back", "[launch_events]") {
    std::uint8_t buffer[launch_event_size];
    const auto tagged = parse_tagged(encode(buffer, PolicyEvent{300, 2}));
    REQUIRE(tagged);
    CHECK(tagged->tag == EventTag::policy);
    const auto event = parse_policy_event(tagged->payload);
    REQUIRE(event);
    CHECK(event->size == 300);
    CHECK(event->epoch == 2);
    CHECK_FALSE(parse_slb_event(tagged->payload));
    CHECK_FALSE(parse_tagged(encode(buffer, PolicyEvent{300, 2}).first(14)));
}

TEST_CASE("a VM definition and its id are what the interface says", "[custody_types]") {
    std::uint8_t buffer[max_vm_definition];
    const ByteView bytes = encode(buffer, sample_vm());
    CHECK(to_hex(bytes) == to_hex(from_hex("a7 00 64 6e657430 01 01 02 5820")) + to_hex(filled<32>(0xaa)) +
                               "035820" + to_hex(filled<32>(0xbb)) + to_hex(from_hex("04 6d 636f6e736f6c653d7474795330"
                                                                                     "05 19 0100 06 01")));
    const auto vm = parse_vm_definition(bytes);
    REQUIRE(vm);
    CHECK(vm->name == "net0");
    CHECK(vm->command_line == "console=ttyS0");
    CHECK(vm->memory_mib == 256);
    CHECK(to_hex(vm_id_of(bytes)) == "86ae5fa093381594e9cb9827607fadc8bdb11aa4ef88342f6617ba1f56c7dc17"); // by python3-cbor2 and hashlib
}

TEST_CASE("the longest VM definition fits its buffer", "[custody_types]") {
    const std::string line(max_command_line, 'x');
    VmDefinition vm = sample_vm();
    vm.name = "abcdefghijklmno";
    vm.command_line = line;
    vm.memory_mib = UINT32_MAX;
    vm.vcpus = UINT32_MAX;
    std::uint8_t buffer[max_vm_definition];
    CHECK(parse_vm_definition(encode(buffer, vm)));
}

TEST_CASE("gate requests round-trip, tainted or not, and every truncation is refused", "[custody_types]") {
    GateRequest gate = sample_gate();
    if (GENERATE(false, true)) gate.tainted_by = filled<32>(9);
    std::uint8_t buffer[max_gate_request];
    const ByteView bytes = encode(buffer, gate);
    REQUIRE_FALSE(bytes.empty());
    const auto read = parse_gate_request(bytes);
    REQUIRE(read);
    CHECK(read->device == gate.device);
    CHECK(read->isolation == gate.isolation);
    CHECK(read->tainted_by == gate.tainted_by);
    for (std::size_t size = 0; size < bytes.size(); ++size) REQUIRE_FALSE(parse_gate_request(bytes.first(size)));
}

TEST_CASE("every kind of ledger entry reads back and re-encodes to the same bytes", "[ledger_entry]") {
    for (const LedgerEntry& entry : one_of_each_kind()) {
        CAPTURE(name_of(entry.kind));
        std::uint8_t first[max_ledger_event], second[max_ledger_event];
        const ByteView bytes = encode(first, entry);
        const auto tagged = parse_tagged(bytes);
        REQUIRE(tagged);
        CHECK(tagged->tag == EventTag::ledger);
        const auto read = parse_ledger_entry(tagged->payload);
        REQUIRE(read);
        CHECK(read->kind == entry.kind);
        CHECK(read->sequence == entry.sequence);
        CHECK(read->time_ms == entry.time_ms);
        CHECK(to_hex(encode(second, *read)) == to_hex(bytes));
        for (std::size_t size = 0; size < tagged->payload.size(); ++size) {
            REQUIRE_FALSE(parse_ledger_entry(tagged->payload.first(size)));
        }
    }
}

TEST_CASE("ledger entries have the documented bytes", "[ledger_entry]") {
    std::uint8_t buffer[max_ledger_event];
    const LedgerEntry stopped{.kind = LedgerKind::vm_stopped, .sequence = 9, .time_ms = 1000,
                              .vm_id = filled<32>(3), .cause = Cause::vm_crashed, .reason = 127};
    CHECK(to_hex(encode(buffer, stopped)) ==
          to_hex(from_hex("13005343 31000000 a6 00 07 01 09 02 1903e8 03 5820")) + to_hex(filled<32>(3)) + "040305187f");
}

TEST_CASE("ledger entries out of range or of the wrong size are refused", "[ledger_entry]") {
    CHECK_FALSE(parse_ledger_entry(from_hex("a5 00 0c 01 00 02 00 03 00 04 00")));                // kind 12
    CHECK_FALSE(parse_ledger_entry(from_hex("a4 00 09 01 00 02 00 03 84 00 00 03 00")));          // field missing
    CHECK_FALSE(parse_ledger_entry(from_hex("a5 00 09 01 00 02 00 03 84 00 00 18 20 00 04 40"))); // device 32
    CHECK_FALSE(parse_ledger_entry(from_hex("a5 00 09 01 00 02 00 03 84 00 00 03 00 04 41 00"))); // short vm_id
    const std::string vm_id = "03 5820" + to_hex(filled<32>(3)), digest = "5820" + to_hex(filled<32>(8));
    CHECK(parse_ledger_entry(from_hex("a5 00 0b 01 00 02 00" + vm_id + "04" + digest)));
    CHECK_FALSE(parse_ledger_entry(from_hex("a5 00 0b 01 00 02 00" + vm_id + "04 40"))); // a snapshot without a digest
    CHECK(parse_ledger_entry(from_hex("a5 00 09 01 00 02 00 03 84 00 00 03 00 04 40")));
}
