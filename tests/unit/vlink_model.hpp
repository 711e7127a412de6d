// SPDX-License-Identifier: Apache-2.0
// A guest's side of a link, for tests: RAM, a virtio-net driver that goes through the registers as a real one does, and
// what its VM would have been asked. Anything in its RAM can be spoiled afterwards.
#pragma once

#include "hypervisor/vlink/link.hpp"

#include <deque>
#include <map>
#include <memory>
#include <numeric>
#include <vector>

namespace casemate::vlink::test {

using Bytes = std::vector<std::uint8_t>;

class Guest final : public EndHost {
public:
    static constexpr std::uint64_t ram_size = 4 << 20, buffers_at = 0x10'0000;
    static constexpr std::uint8_t config_vector = 0x40, receive_vector = 0x41, transmit_vector = 0x42;
    enum : std::uint16_t { next = 1, write = 2, indirect = 4 };

    struct Descriptor {
        std::uint64_t addr = 0;
        std::uint32_t len = 0;
        std::uint16_t flags = 0, next = 0;
    };
    struct Used {
        std::uint32_t id = 0, len = 0;
    };
    /// The driver's own view of a queue; addresses in its RAM.
    struct Ring {
        std::uint64_t at = 0; // descriptors; the available ring 1000h and the used ring 2000h behind
        std::uint16_t size = 256, avail = 0, used = 0, free = 0;
        std::uint64_t driver() const { return at + 0x1000; }
        std::uint64_t device() const { return at + 0x2000; }
    };

    Guest() : ram_(ram_size), memory_{ram_} {}

    // --- EndHost
    void post_interrupt(std::uint8_t vector) override { ++interrupts[vector]; }
    void call_service() override { ++service_calls; }
    void call_service_soon() override {}

    [[nodiscard]] const mm::GuestMemory& memory() const { return memory_; }
    void connect(End& end) { end_ = &end; }
    [[nodiscard]] End& end() { return *end_; }
    [[nodiscard]] Ring& ring(unsigned queue) { return rings_[queue]; }

    // --- registers
    std::uint32_t get(std::uint64_t offset, unsigned width = 4) {
        return static_cast<std::uint32_t>(end_->read_memory(offset, width));
    }
    void set(std::uint64_t offset, std::uint32_t value, unsigned width = 4) {
        end_->write_memory(offset, width, value);
    }
    std::uint8_t status() { return static_cast<std::uint8_t>(get(20, 1)); }
    bool link_up() { return (get(0x206, 2) & 1) != 0; }
    void notify(std::uint16_t queue) { end_->write_port(End::first_port, 2, queue); }

    void negotiate(std::uint64_t wanted) {
        set(20, 0, 1);
        set(20, 1 | 2, 1);
        for (std::uint32_t half = 0; half < 2; ++half) {
            set(8, half);
            set(12, static_cast<std::uint32_t>(wanted >> 32 * half));
        }
        set(20, 1 | 2 | 8, 1);
        features = wanted;
    }
    void set_messages() {
        end_->write_config(0x42, 2, 0x8000);
        for (std::uint32_t entry = 0; entry < 3; ++entry) {
            set(0x800 + 16 * entry, 0xFEE00000);
            set(0x808 + 16 * entry, config_vector + entry);
            set(0x80c + 16 * entry, 0);
        }
        set(16, 0, 2);
    }
    void set_queue(std::uint16_t queue, std::uint16_t size = 256) {
        Ring& ring = rings_[queue];
        ring = {.at = 0x1'0000u * (queue + 1), .size = size};
        std::fill_n(ram_.begin() + static_cast<std::ptrdiff_t>(ring.at), 0x3000, std::uint8_t{0});
        set(22, queue, 2);
        set(24, size, 2);
        set(26, queue + 1u, 2);
        const std::uint64_t addresses[] = {ring.at, ring.driver(), ring.device()};
        for (std::uint32_t i = 0; i < 3; ++i) {
            set(32 + 8 * i, static_cast<std::uint32_t>(addresses[i]));
            set(36 + 8 * i, static_cast<std::uint32_t>(addresses[i] >> 32));
        }
        set(28, 1, 2);
    }
    /// Everything until DRIVER_OK.
    void start(std::uint64_t wanted = VirtioNet::offered, std::uint16_t size = 256) {
        next_buffer_ = buffers_at;
        negotiate(wanted);
        set_messages();
        set_queue(VirtioNet::receive, size);
        set_queue(VirtioNet::transmit, size);
        set(20, 1 | 2 | 4 | 8, 1);
    }

    // --- memory
    template <typename T>
    T peek(std::uint64_t at) {
        return *memory_.read<T>({at});
    }
    template <typename T>
    void poke(std::uint64_t at, T value) {
        (void)memory_.write(GuestPhys{at}, value);
    }
    Bytes bytes(std::uint64_t at, std::size_t count) {
        const ByteSpan found = memory_.bytes({at}, count);
        return {found.begin(), found.end()};
    }
    std::uint64_t room(std::size_t count) {
        const std::uint64_t at = next_buffer_;
        next_buffer_ += (count + 15) & ~std::size_t{15};
        if (next_buffer_ > ram_size) return next_buffer_ = buffers_at, room(count);
        return at;
    }
    std::uint64_t place(const Bytes& content) {
        const std::uint64_t at = room(content.size());
        std::ranges::copy(content, ram_.begin() + static_cast<std::ptrdiff_t>(at));
        return at;
    }

    // --- queues
    void describe(std::uint64_t table, std::uint16_t index, const Descriptor& descriptor) {
        poke(table + 16u * index, descriptor);
    }
    void offer(unsigned queue, std::uint16_t head) {
        Ring& ring = rings_[queue];
        poke<std::uint16_t>(ring.driver() + 4 + 2u * (ring.avail % ring.size), head);
        poke<std::uint16_t>(ring.driver() + 2, ++ring.avail);
    }
    /// The index of which the device wants to hear; 0 in flags mode.
    std::uint16_t avail_event(unsigned queue) {
        return peek<std::uint16_t>(rings_[queue].device() + 4 + 8u * rings_[queue].size);
    }
    void set_used_event(unsigned queue, std::uint16_t event) {
        poke<std::uint16_t>(rings_[queue].driver() + 4 + 2u * rings_[queue].size, event);
    }
    /// Would a driver notify after moving its index from `before` to where it is?
    bool must_notify(unsigned queue, std::uint16_t before) {
        if ((features & feature::event_idx) == 0)
            return (peek<std::uint16_t>(rings_[queue].device()) & 1) == 0;
        const std::uint16_t now = rings_[queue].avail, event = avail_event(queue);
        return static_cast<std::uint16_t>(now - event - 1) < static_cast<std::uint16_t>(now - before);
    }
    std::uint16_t used_index(unsigned queue) { return peek<std::uint16_t>(rings_[queue].device() + 2); }
    std::optional<Used> take_used(unsigned queue) {
        Ring& ring = rings_[queue];
        if (used_index(queue) == ring.used) return std::nullopt;
        return peek<Used>(ring.device() + 4 + 8u * (ring.used++ % ring.size));
    }

    /// One descriptor a buffer, as Linux does with merged buffers.
    void offer_buffers(unsigned count, std::uint32_t size) {
        for (unsigned i = 0; i < count; ++i) {
            Ring& ring = rings_[VirtioNet::receive];
            const auto head = static_cast<std::uint16_t>(ring.free++ % ring.size);
            describe(ring.at, head, {room(size), size, write, 0});
            offer(VirtioNet::receive, head);
        }
    }
    /// Puts a packet into the transmit queue in pieces of at most `piece` bytes, directly or by an indirect table.
    void queue_packet(const NetHeader& header, const Bytes& frame, std::size_t piece, bool by_table) {
        Ring& ring = rings_[VirtioNet::transmit];
        const auto* const head_bytes = reinterpret_cast<const std::uint8_t*>(&header);
        Bytes whole(head_bytes, head_bytes + sizeof header);
        whole.insert(whole.end(), frame.begin(), frame.end());
        std::vector<Descriptor> list;
        for (std::size_t at = 0; at < whole.size(); at += piece) {
            const std::size_t count = std::min(piece, whole.size() - at);
            const auto from = whole.begin() + static_cast<std::ptrdiff_t>(at);
            list.push_back({place({from, from + static_cast<std::ptrdiff_t>(count)}),
                            static_cast<std::uint32_t>(count)});
        }
        const std::uint64_t table = by_table ? room(16 * list.size()) : ring.at;
        const auto first = static_cast<std::uint16_t>(by_table ? 0 : ring.free % ring.size);
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto index = static_cast<std::uint16_t>(by_table ? i : (first + i) % ring.size);
            list[i].next = static_cast<std::uint16_t>(by_table ? i + 1 : (index + 1) % ring.size);
            if (i + 1 < list.size()) list[i].flags = next;
            describe(table, index, list[i]);
        }
        const auto head = static_cast<std::uint16_t>(ring.free % ring.size);
        ring.free = static_cast<std::uint16_t>(ring.free + (by_table ? 1 : list.size()));
        if (by_table)
            describe(ring.at, head, {table, static_cast<std::uint32_t>(16 * list.size()), indirect, 0});
        offer(VirtioNet::transmit, head);
    }
    void send(const NetHeader& header, const Bytes& frame, std::size_t piece = 4096, bool by_table = true) {
        const std::uint16_t before = rings_[VirtioNet::transmit].avail;
        queue_packet(header, frame, piece, by_table);
        if (must_notify(VirtioNet::transmit, before)) notify(VirtioNet::transmit);
        sleep();
    }
    /// HLT: its core looks at what is left to do.
    void sleep() {
        for (unsigned i = 0; i < 8 && end_->has_work(); ++i) end_->service();
    }

    struct Packet {
        NetHeader header{};
        Bytes frame;
    };
    /// The next packet, put together from its merged buffers.
    std::optional<Packet> receive() {
        auto used = take_used(VirtioNet::receive);
        if (!used) return std::nullopt;
        Packet packet;
        Bytes whole;
        std::uint16_t buffers = 1;
        for (std::uint16_t n = 0; n < buffers; ++n) {
            if (n != 0) used = take_used(VirtioNet::receive);
            if (!used) return std::nullopt;
            const auto descriptor = peek<Descriptor>(rings_[VirtioNet::receive].at + 16u * used->id);
            const Bytes part = bytes(descriptor.addr, used->len);
            whole.insert(whole.end(), part.begin(), part.end());
            if (n == 0) buffers = peek<NetHeader>(descriptor.addr).num_buffers;
        }
        std::memcpy(&packet.header, whole.data(), sizeof packet.header);
        packet.frame.assign(whole.begin() + sizeof packet.header, whole.end());
        return packet;
    }

    std::map<std::uint8_t, unsigned> interrupts;
    unsigned service_calls = 0;
    std::uint64_t features = 0;

private:
    std::vector<std::uint8_t> ram_;
    mm::GuestMemory memory_;
    End* end_ = nullptr;
    std::array<Ring, 2> rings_{};
    std::uint64_t next_buffer_ = buffers_at;
};

/// Two guests and their link.
struct Pair {
    Guest left, right;
    std::unique_ptr<Link> link =
        std::make_unique<Link>(3, End::Owner{left, left.memory(), 0}, End::Owner{right, right.memory(), 0});
    Pair() {
        left.connect(link->end(0));
        right.connect(link->end(1));
    }
    void start(std::uint64_t left_features = VirtioNet::offered,
               std::uint64_t right_features = VirtioNet::offered) {
        left.start(left_features);
        right.start(right_features);
        left.interrupts = right.interrupts = {};
        left.service_calls = right.service_calls = 0;
    }
};

inline Bytes pattern(std::size_t size, std::uint8_t seed = 1) {
    Bytes bytes(size);
    std::uint32_t state = seed;
    for (std::uint8_t& byte : bytes)
        byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

} // namespace casemate::vlink::test
