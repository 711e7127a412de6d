// SPDX-License-Identifier: Apache-2.0
// One split virtqueue of a guest, from its device's side [VIRTIO 2.7]: takes chains of buffers, gives them back as used, keeps
// notifications and interrupts rare. UNTRUSTED: every byte of the rings, and the other processor changes them at any time.
// Invariant: each field is read once, into a copy, and the copy is checked; no piece that leaves here lies outside the owner's
// RAM; a call looks at no more than 2 x max_size descriptors. One user at a time (the link's lock).
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/guest_memory.hpp"

#include <array>

namespace casemate::vlink {

/// Why a queue is refused for good; the driver has to reset its device. The numbers are in docs/interfaces/vlink.md.
enum class QueueError : std::uint8_t {
    none = 0,
    size = 1,             // not a power of two up to max_size
    misaligned = 2,       // a ring does not start where [VIRTIO 2.7] wants it
    ring_outside = 3,     // a ring leaves the RAM
    avail_runs_ahead = 4, // more chains offered than the queue has entries
    head_outside = 5,     // a chain that starts behind the descriptor table
    next_outside = 6,     // a chain that goes on behind its table
    chain_too_long = 7,   // a chain with more links than its table, so a loop
    too_many_pieces = 8,  // more pieces than a list holds
    buffer_outside = 9,   // leaves the RAM, or is empty
    wrong_direction = 10, // writable where the device reads, or the other way
    indirect_not_negotiated = 11,
    indirect_and_next = 12,
    indirect_nested = 13,
    indirect_table = 14, // empty, not whole entries, too large, or outside the RAM
};

enum class Direction : std::uint8_t { device_reads, device_writes };

/// Pieces of one VM's RAM, in the order of its descriptors.
class Pieces {
public:
    static constexpr std::size_t capacity = 256;

    void clear() { count_ = bytes_ = 0; }
    [[nodiscard]] bool add(ByteSpan piece);
    void cut(std::size_t count);
    [[nodiscard]] std::span<const ByteSpan> all() const { return {pieces_.data(), count_}; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    std::array<ByteSpan, capacity> pieces_{};
    std::size_t count_ = 0;
    std::uint64_t bytes_ = 0;
};

class Virtqueue {
public:
    static constexpr std::uint16_t max_size = 256;

    /// Where the driver says that the rings are.
    struct Rings {
        std::uint16_t size = max_size;
        GuestPhys descriptors, driver, device; // "driver": available ring, "device": used ring
    };
    struct Options {
        Direction direction = Direction::device_reads;
        bool indirect = false, event_idx = false; // negotiated
    };
    struct Chain {
        std::uint16_t head = 0;
        std::uint64_t bytes = 0;
    };
    template <typename T>
    using Checked = Result<T, QueueError>;

    [[nodiscard]] Status<QueueError> enable(const mm::GuestMemory& memory, const Rings& rings,
                                            Options options);
    [[nodiscard]] std::uint16_t size() const { return size_; }

    /// The next chain's pieces behind those in the list, or nothing when the driver has offered no more. After an error the
    /// list and the queue are as before.
    [[nodiscard]] Checked<std::optional<Chain>> take(Pieces& pieces);
    /// The last `count` chains were not taken.
    void give_back(std::uint16_t count) { next_avail_ = static_cast<std::uint16_t>(next_avail_ - count); }

    /// Marks a chain as used; the driver sees it after publish().
    void put(std::uint16_t head, std::uint32_t written);
    /// True if the driver wants an interrupt for what it sees now and did not see at the last call.
    [[nodiscard]] bool publish();

    void stop_notifications();
    /// Asks to be notified of the next chain. True if there are chains already that take() has not looked for: no
    /// notification comes for these.
    [[nodiscard]] bool start_notifications();

private:
    [[nodiscard]] Checked<std::uint16_t> available();
    [[nodiscard]] Status<QueueError> collect(ByteSpan table, std::uint16_t index, Pieces& pieces,
                                             bool nested);
    [[nodiscard]] Status<QueueError> collect_indirect(GuestPhys at, std::uint32_t bytes, Pieces& pieces);

    mm::GuestMemory memory_;
    Options options_{};
    std::uint16_t size_ = 0;
    ByteSpan descriptors_, driver_, device_; // as long as the size demands
    std::uint16_t next_avail_ = 0;
    std::uint16_t seen_avail_ = 0; // the driver's index when it was last looked at
    std::uint16_t next_used_ = 0;
    std::uint16_t published_ = 0;
};

} // namespace casemate::vlink
