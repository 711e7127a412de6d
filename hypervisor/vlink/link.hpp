// SPDX-License-Identifier: Apache-2.0
// A cable between two VMs: moves packets from one end's transmit queue into the other's receive queue. The copy runs on the
// core of the VM that notified; when the budget of a call is spent the sender's own core goes on (End::service()).
//
//   sender has no packet     -> its next one notifies
//   receiver has no buffers  -> the packet stays where it is; the receiver's next buffer notifies
//   receiver is not running  -> packets are taken and dropped; the sender sees the link down
//   a queue is refused       -> that end needs a reset; the other only sees the link down
//
// Invariant: both queues of both ends are touched under lock() only, never across an entry into a guest.
#pragma once

#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/vlink/end.hpp"

namespace casemate::vlink {

class Link {
public:
    /// What one call moves at most; looking at a queue counts as a packet.
    static constexpr unsigned packet_budget = 256;
    static constexpr std::uint64_t byte_budget = 512 * 1024;

    /// Of one end, since the launch: what it sent, how often it notified and was interrupted for its queues.
    struct Counters {
        std::uint64_t packets = 0, bytes = 0, notifications = 0, interrupts = 0;
        std::array<std::uint64_t, static_cast<std::size_t>(Drop::count)> drops{};
    };
    /// Of one end, at one moment. `error` says why its driver has to reset it; then it is not running.
    struct Status {
        bool running = false;
        QueueError error = QueueError::none;
        Counters counters;
    };

    Link(unsigned number, const End::Owner& first, const End::Owner& second);

    [[nodiscard]] End& end(unsigned side) { return ends_[side]; }
    [[nodiscard]] Status status(unsigned side) {
        const LockGuard guard{lock_};
        return {net(side).running(), net(side).error(), counters_[side]};
    }

    // --- for the ends, under the lock
    [[nodiscard]] SpinLock& lock() { return lock_; }
    void notified(unsigned side, std::uint16_t queue);
    /// Moves what `sender` has to send.
    void pump(unsigned sender);
    /// An end may have started or stopped running: the other sees the link go up or down.
    void settle();

private:
    enum class Step : std::uint8_t { done, no_packet, no_buffers, refused };
    enum class Room : std::uint8_t { found, none_yet, never, refused };

    [[nodiscard]] VirtioNet& net(unsigned side) { return ends_[side].net(); }
    void go_on(unsigned sender, Step last, bool moved);
    [[nodiscard]] Step move_packet(unsigned sender);
    [[nodiscard]] Step deliver(unsigned sender);
    [[nodiscard]] Step drop(unsigned sender, Drop reason);
    [[nodiscard]] Room find_room(VirtioNet& receiver, std::uint64_t bytes);
    void give_buffers(Virtqueue& queue, std::uint64_t bytes);
    void publish(unsigned side, VirtioNet::Queue queue);

    SpinLock lock_;
    std::array<End, 2> ends_;
    std::array<bool, 2> was_running_{};
    std::array<Counters, 2> counters_{};
    // Of the packet in hand.
    Pieces source_, target_;
    std::array<Virtqueue::Chain, Virtqueue::max_size> buffers_{};
    std::uint16_t buffer_count_ = 0;
};

} // namespace casemate::vlink
