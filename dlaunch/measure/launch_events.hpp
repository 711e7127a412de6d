// SPDX-License-Identifier: Apache-2.0
// The data of our events: `u32 tag | u32 size | CBOR payload` [TCG-PFP 10.4.2.1], and the four events of the launch
// itself. docs/interfaces/ledger.md has the table; ledger_entry.hpp the fifth kind.
// Who calls it: the SLB (encode), predictor and verifier (parse). UNTRUSTED when parsed: replay does not cover it.
#pragma once

#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/event_log.hpp"

#include <optional>

namespace casemate::measure {

enum class EventTag : std::uint32_t {
    slb = 0x43530001,
    hypervisor = 0x43530002,
    owner_key = 0x43530003,
    policy = 0x43530004,
    ledger = 0x43530013,
};

/// Payload of every launch event that Casemate writes fits in this much event data.
inline constexpr std::size_t launch_event_size = 416;

struct SlbEvent { // PCR 17; digest over the bytes that SKINIT measured
    std::uint32_t length = 0;
};
struct HypervisorEvent { // PCR 17; digest over the raw ELF file
    std::uint64_t size = 0;
};
inline constexpr std::size_t max_owner_key = 391; // one key, or the largest set of owners (policy/model/owner_set.hpp)

struct OwnerKeyEvent { // PCR 18; digest over these bytes, of which this is a view
    ByteView key;
};
struct PolicyEvent { // PCR 18; digest over the raw signed bundle
    std::uint64_t size = 0;
    std::uint64_t epoch = 0;
};

/// The event data (with tag and size), written into `out`; empty when it does not fit.
[[nodiscard]] ByteView encode(ByteSpan out, const SlbEvent& event);
[[nodiscard]] ByteView encode(ByteSpan out, const HypervisorEvent& event);
[[nodiscard]] ByteView encode(ByteSpan out, const OwnerKeyEvent& event);
[[nodiscard]] ByteView encode(ByteSpan out, const PolicyEvent& event);

/// Tag and payload of event data, or nothing when the size does not fit exactly.
struct TaggedData {
    EventTag tag{}; // may be none of the enumerators
    ByteView payload;
};
[[nodiscard]] std::optional<TaggedData> parse_tagged(ByteView data);
/// Writes the eight bytes that stand before a payload.
void write_tag(LittleEndianWriter& out, EventTag tag, std::size_t payload_size);

/// The payload as a value, or nothing when it is not the one encoding of such an event.
[[nodiscard]] std::optional<SlbEvent> parse_slb_event(ByteView payload);
[[nodiscard]] std::optional<HypervisorEvent> parse_hypervisor_event(ByteView payload);
[[nodiscard]] std::optional<OwnerKeyEvent> parse_owner_key_event(ByteView payload);
[[nodiscard]] std::optional<PolicyEvent> parse_policy_event(ByteView payload);

} // namespace casemate::measure
