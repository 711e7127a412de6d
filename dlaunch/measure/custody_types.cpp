// SPDX-License-Identifier: Apache-2.0
// See custody_types.hpp; keys as in docs/interfaces/ledger.md.
#include "dlaunch/measure/custody_types.hpp"
#include "dlaunch/measure/cbor_fields.hpp"
#include "dlaunch/measure/crypto.hpp"

namespace casemate::measure {

namespace {

constexpr std::uint32_t class_limit = 0xffffff;
constexpr std::uint8_t last_role = 2;

// `Described` is the structure, const when the codec writes.
template <typename T, typename Structure>
concept Described = std::is_same_v<std::remove_const_t<T>, Structure>;

template <typename Codec, Described<VmDefinition> T>
void describe(Codec& codec, T& value) {
    codec.map(7);
    codec.text(0, value.name, max_vm_name);
    codec.number(1, value.role, last_role);
    codec.fixed(2, value.kernel);
    codec.fixed(3, value.initrd);
    codec.text(4, value.command_line, max_command_line);
    codec.number(5, value.memory_mib);
    codec.number(6, value.vcpus);
}

template <typename Codec, Described<DeviceIdentity> T>
void describe(Codec& codec, T& value) {
    codec.map(6);
    codec.device(0, value.address);
    codec.number(1, value.vendor);
    codec.number(2, value.device_id);
    codec.number(3, value.subsystem_vendor);
    codec.number(4, value.subsystem_id);
    codec.number(5, value.device_class, class_limit);
}

template <typename Codec, Described<Isolation> T>
void describe(Codec& codec, T& value) {
    codec.map(4);
    codec.flag(0, value.dma_remapping);
    codec.flag(1, value.interrupt_remapping);
    codec.choice(2, value.reset_kind, ResetKind::device_specific);
    codec.number(3, value.group);
}

template <typename Codec, Described<GateRequest> T>
void describe(Codec& codec, T& value) {
    codec.map(6);
    codec.fixed(0, value.gate_nonce);
    codec.fixed(1, value.launch_id);
    codec.fixed(2, value.vm_id);
    codec.key(3), describe(codec, value.device);
    codec.key(4), describe(codec, value.isolation);
    codec.fixed_or_empty(5, value.tainted_by);
}

template <typename Value>
ByteView encode_value(ByteSpan buffer, const Value& value) {
    CborWriter out{buffer};
    FieldWriter codec{out};
    describe(codec, value);
    return out.ok() ? out.written() : ByteView{};
}

template <typename Value>
std::optional<Value> parse_value(ByteView bytes) {
    CborReader in{bytes};
    FieldReader codec{in};
    Value value;
    describe(codec, value);
    if (!in.finished()) return std::nullopt;
    return value;
}

} // namespace

ByteView encode(ByteSpan out, const VmDefinition& definition) { return encode_value(out, definition); }
ByteView encode(ByteSpan out, const GateRequest& request) { return encode_value(out, request); }
std::optional<VmDefinition> parse_vm_definition(ByteView bytes) { return parse_value<VmDefinition>(bytes); }
std::optional<GateRequest> parse_gate_request(ByteView bytes) { return parse_value<GateRequest>(bytes); }
VmId vm_id_of(ByteView definition) { return sha256(definition); }

} // namespace casemate::measure
