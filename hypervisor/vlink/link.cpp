// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/vlink/link.hpp"

#include <algorithm>

namespace casemate::vlink {
namespace {

/// A place in a list of pieces; it moves forward only.
class Cursor {
public:
    explicit Cursor(std::span<const ByteSpan> pieces) : pieces_{pieces} {}

    /// What is left of the piece at this place; empty at the end.
    [[nodiscard]] ByteSpan here() {
        while (!pieces_.empty() && offset_ == pieces_.front().size()) {
            pieces_ = pieces_.subspan(1);
            offset_ = 0;
        }
        return pieces_.empty() ? ByteSpan{} : pieces_.front().subspan(offset_);
    }
    void skip(std::size_t bytes) { offset_ += bytes; }

private:
    std::span<const ByteSpan> pieces_;
    std::size_t offset_ = 0;
};

void copy(Cursor& to, Cursor& from, std::uint64_t count) {
    while (count != 0) {
        const ByteSpan source = from.here(), target = to.here();
        const std::size_t part = std::min({source.size(), target.size(), std::size_t{count}});
        if (part == 0) return; // the callers have compared the lengths
        std::memcpy(target.data(), source.data(), part);
        from.skip(part);
        to.skip(part);
        count -= part;
    }
}

// SAFETY: plain bytes on our own stack.
ByteSpan bytes_of(NetHeader& header) { return {reinterpret_cast<std::uint8_t*>(&header), sizeof header}; }

/// Locally administered; the same for the same policy.
MacAddress address_of(unsigned number, std::uint8_t side) {
    return {0x02, 0xCA, 0x5E, 0x00, static_cast<std::uint8_t>(number), side};
}

} // namespace

Link::Link(unsigned number, const End::Owner& first, const End::Owner& second)
    : ends_{{{*this, 0, first, address_of(number, 0)}, {*this, 1, second, address_of(number, 1)}}} {}

void Link::notified(unsigned side, std::uint16_t queue) {
    if (queue >= VirtioNet::queue_count || !net(side).running()) return;
    ++counters_[side].notifications;
    pump(queue == VirtioNet::transmit ? side : 1 - side);
}

void Link::pump(unsigned sender) {
    if (!net(sender).running()) return;
    net(sender).queue(VirtioNet::transmit).stop_notifications();
    if (net(1 - sender).running()) net(1 - sender).queue(VirtioNet::receive).stop_notifications();
    const std::uint64_t last_byte = counters_[sender].bytes + byte_budget;
    unsigned packets = 0;
    Step last = Step::done;
    while (last == Step::done && packets < packet_budget && counters_[sender].bytes < last_byte) {
        last = move_packet(sender);
        packets += last == Step::done ? 1 : 0;
    }
    go_on(sender, last, packets != 0);
    if (net(sender).running()) publish(sender, VirtioNet::transmit);
    settle();
}

/// A sender that had packets is looked at again soon, without a notification: one that sends and sends pays no exit for each.
void Link::go_on(unsigned sender, Step last, bool moved) {
    if (last == Step::no_packet && moved) return ends_[sender].ask_service_soon();
    const bool more = last == Step::done ||
                      (last == Step::no_packet && net(sender).queue(VirtioNet::transmit).start_notifications()) ||
                      (last == Step::no_buffers && net(1 - sender).queue(VirtioNet::receive).start_notifications());
    if (more) ends_[sender].ask_service();
}

Link::Step Link::move_packet(unsigned sender) {
    Virtqueue& queue = net(sender).queue(VirtioNet::transmit);
    source_.clear();
    const auto taken = queue.take(source_);
    if (!taken.ok()) {
        net(sender).fail(taken.error());
        return Step::refused;
    }
    if (!taken.value()) return Step::no_packet;
    const Step step = deliver(sender);
    if (step == Step::no_buffers)
        queue.give_back(1);
    else
        queue.put(taken.value()->head, 0);
    return step;
}

Link::Step Link::deliver(unsigned sender) {
    VirtioNet& receiver = net(1 - sender);
    NetHeader header{};
    if (!receiver.running()) return drop(sender, Drop::receiver_down);
    if (source_.bytes() < sizeof header) return drop(sender, Drop::frame_size);
    const ByteSpan header_bytes = bytes_of(header);
    Cursor from{source_.all()}, to{{&header_bytes, 1}};
    copy(to, from, sizeof header);
    const std::uint64_t frame = source_.bytes() - sizeof header;
    const Drop verdict = judge(header, frame, net(sender).features(), receiver.features());
    if (verdict != Drop::count) return drop(sender, verdict);
    switch (find_room(receiver, source_.bytes())) {
    case Room::found: break;
    case Room::none_yet: return Step::no_buffers;
    case Room::never: return drop(sender, Drop::no_room);
    case Room::refused: return drop(sender, Drop::receiver_down);
    }
    header = cleaned(header, buffer_count_);
    Cursor own{{&header_bytes, 1}}, buffers{target_.all()};
    copy(buffers, own, sizeof header);
    copy(buffers, from, frame);
    give_buffers(receiver.queue(VirtioNet::receive), source_.bytes());
    publish(1 - sender, VirtioNet::receive);
    ++counters_[sender].packets;
    counters_[sender].bytes += frame;
    return Step::done;
}

Link::Step Link::drop(unsigned sender, Drop reason) {
    ++counters_[sender].drops[static_cast<std::size_t>(reason)];
    return Step::done;
}

/// Takes as many buffers as the packet needs, or none.
Link::Room Link::find_room(VirtioNet& receiver, std::uint64_t bytes) {
    Virtqueue& queue = receiver.queue(VirtioNet::receive);
    const std::uint16_t most = (receiver.features() & feature::mrg_rxbuf) != 0 ? queue.size() : 1;
    Room room = Room::found;
    target_.clear();
    for (buffer_count_ = 0; room == Room::found && target_.bytes() < bytes;) {
        if (buffer_count_ == most) {
            room = Room::never;
        } else if (const auto taken = queue.take(target_); taken.ok() && taken.value()) {
            buffers_[buffer_count_++] = *taken.value();
        } else if (taken.ok()) {
            room = Room::none_yet;
        } else if (taken.error() == QueueError::too_many_pieces && buffer_count_ != 0) {
            room = Room::never; // no fault of this chain
        } else {
            receiver.fail(taken.error());
            room = Room::refused;
        }
    }
    if (room != Room::found) queue.give_back(buffer_count_);
    return room;
}

void Link::give_buffers(Virtqueue& queue, std::uint64_t bytes) {
    for (const Virtqueue::Chain& buffer : std::span{buffers_}.first(buffer_count_)) {
        const std::uint64_t written = std::min(buffer.bytes, bytes);
        queue.put(buffer.head, static_cast<std::uint32_t>(written));
        bytes -= written;
    }
}

/// The driver sees what is used now, and is interrupted if it wants to.
void Link::publish(unsigned side, VirtioNet::Queue queue) {
    if (!net(side).queue(queue).publish()) return;
    ++counters_[side].interrupts;
    net(side).signal(queue);
}

void Link::settle() {
    for (unsigned side = 0; side < ends_.size(); ++side) {
        const bool running = net(side).running();
        if (std::exchange(was_running_[side], running) == running) continue;
        net(1 - side).set_link_up(running);
        if (!running) ends_[1 - side].ask_service(); // what waits for buffers there never gets any
    }
}

} // namespace casemate::vlink
