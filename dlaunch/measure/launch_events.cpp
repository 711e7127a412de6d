// SPDX-License-Identifier: Apache-2.0
// See launch_events.hpp.
#include "dlaunch/measure/launch_events.hpp"
#include "dlaunch/measure/cbor_fields.hpp"

namespace casemate::measure {

namespace {

constexpr std::size_t tag_size = 8;

// One description each; T is const when the codec writes.
template <typename T, typename Structure>
concept Described = std::is_same_v<std::remove_const_t<T>, Structure>;

template <typename Codec, Described<SlbEvent> T>
void describe(Codec& codec, T& event) {
    codec.map(1);
    codec.number(0, event.length);
}

template <typename Codec, Described<HypervisorEvent> T>
void describe(Codec& codec, T& event) {
    codec.map(1);
    codec.number(0, event.size);
}

template <typename Codec, Described<OwnerKeyEvent> T>
void describe(Codec& codec, T& event) {
    codec.map(1);
    codec.blob(0, event.key, max_owner_key);
}

template <typename Codec, Described<PolicyEvent> T>
void describe(Codec& codec, T& event) {
    codec.map(2);
    codec.number(0, event.size);
    codec.number(1, event.epoch);
}

/// Tag and size in front of a payload that was written behind their place.
ByteView tagged(ByteSpan buffer, EventTag tag, const CborWriter& payload) {
    LittleEndianWriter head{buffer.first(tag_size)};
    write_tag(head, tag, payload.size());
    return payload.ok() ? ByteView{buffer.first(tag_size + payload.size())} : ByteView{};
}

template <typename Event>
ByteView encode_event(ByteSpan buffer, EventTag tag, const Event& event) {
    if (buffer.size() < tag_size) return {};
    CborWriter payload{buffer.subspan(tag_size)};
    FieldWriter codec{payload};
    describe(codec, event);
    return tagged(buffer, tag, payload);
}

template <typename Event>
std::optional<Event> parse_event(ByteView payload) {
    CborReader in{payload};
    FieldReader codec{in};
    Event event;
    describe(codec, event);
    if (!in.finished()) return std::nullopt;
    return event;
}

} // namespace

void write_tag(LittleEndianWriter& out, EventTag tag, std::size_t payload_size) {
    out.u32(static_cast<std::uint32_t>(tag));
    out.u32(static_cast<std::uint32_t>(payload_size));
}

std::optional<TaggedData> parse_tagged(ByteView data) {
    LittleEndianReader in{data};
    const auto tag = static_cast<EventTag>(in.u32());
    const ByteView payload = in.bytes(in.u32());
    if (!in.finished()) return std::nullopt;
    return TaggedData{tag, payload};
}

ByteView encode(ByteSpan out, const SlbEvent& event) { return encode_event(out, EventTag::slb, event); }
ByteView encode(ByteSpan out, const HypervisorEvent& event) { return encode_event(out, EventTag::hypervisor, event); }
ByteView encode(ByteSpan out, const OwnerKeyEvent& event) { return encode_event(out, EventTag::owner_key, event); }
ByteView encode(ByteSpan out, const PolicyEvent& event) { return encode_event(out, EventTag::policy, event); }

std::optional<SlbEvent> parse_slb_event(ByteView payload) { return parse_event<SlbEvent>(payload); }
std::optional<HypervisorEvent> parse_hypervisor_event(ByteView payload) {
    return parse_event<HypervisorEvent>(payload);
}
std::optional<OwnerKeyEvent> parse_owner_key_event(ByteView payload) { return parse_event<OwnerKeyEvent>(payload); }
std::optional<PolicyEvent> parse_policy_event(ByteView payload) { return parse_event<PolicyEvent>(payload); }

} // namespace casemate::measure
