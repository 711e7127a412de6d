// SPDX-License-Identifier: Apache-2.0
// The registers of a virtio-net device [VIRTIO 4.1.4, 5.1.4] with one pair of queues, and how far its driver has come. Modern
// interface only; little-endian. UNTRUSTED: every write. The caller (End) holds the link's lock.
//
//   reset --FEATURES_OK, queues enabled, DRIVER_OK--> running() --a queue refused--> DEVICE_NEEDS_RESET --0 to status--> reset
#pragma once

#include "hypervisor/vlink/messages.hpp"
#include "hypervisor/vlink/net_header.hpp"
#include "hypervisor/vlink/virtqueue.hpp"

namespace casemate::vlink {

using MacAddress = std::array<std::uint8_t, 6>;

class VirtioNet {
public:
    enum Queue : std::uint16_t { receive = 0, transmit = 1, queue_count = 2 };
    static constexpr std::uint64_t offered = feature::csum | feature::guest_csum | feature::mtu |
                                             feature::mac | feature::guest_tso4 | feature::guest_tso6 |
                                             feature::guest_ecn | feature::host_tso4 | feature::host_tso6 |
                                             feature::host_ecn | feature::mrg_rxbuf | feature::status |
                                             feature::indirect | feature::event_idx | feature::version_1;
    static constexpr std::uint64_t common_size = 56, isr_size = 4, device_size = 12;

    VirtioNet(const mm::GuestMemory& memory, const MacAddress& mac, Messages& messages)
        : memory_{memory}, mac_{mac}, messages_{messages} {}

    /// As the driver does by status 0. Whether the link is up stays.
    void reset();
    [[nodiscard]] bool running() const;
    [[nodiscard]] std::uint64_t features() const { return features_; }
    [[nodiscard]] Virtqueue& queue(Queue which) { return queues_[which].ring; }
    [[nodiscard]] QueueError error() const { return error_; }

    /// The driver has to reset the device before anything else happens here.
    void fail(QueueError error);
    void set_link_up(bool up);
    /// Buffers of this queue have been used and the driver wants to know.
    void signal(Queue which);

    [[nodiscard]] std::uint32_t read_common(std::uint64_t offset) const;
    void write_common(std::uint64_t offset, std::uint32_t value);
    /// Reading clears it.
    [[nodiscard]] std::uint8_t read_isr() { return std::exchange(isr_, std::uint8_t{0}); }
    /// struct virtio_net_config; nothing in it can be written.
    [[nodiscard]] std::array<std::uint8_t, device_size> device_config() const;

private:
    struct QueueRegisters {
        std::uint16_t size = Virtqueue::max_size;
        std::uint16_t vector = Messages::none;
        bool enabled = false;
        std::array<std::uint64_t, 3> address{}; // descriptors, driver, device
        Virtqueue ring;
    };

    [[nodiscard]] bool has(std::uint8_t bits) const { return (status_ & bits) == bits; }
    [[nodiscard]] std::uint32_t read_queue(std::uint64_t offset) const;
    void write_queue(std::uint64_t offset, std::uint32_t value);
    void write_status(std::uint8_t value);
    void enable_queue();
    void change_config();

    const mm::GuestMemory memory_;
    const MacAddress mac_;
    Messages& messages_;
    bool link_up_ = false;
    std::uint8_t generation_ = 0;

    std::uint8_t status_ = 0;
    std::uint8_t isr_ = 0;
    QueueError error_ = QueueError::none;
    std::uint32_t offered_select_ = 0, features_select_ = 0;
    std::uint64_t features_ = 0; // as the driver has written them; final with FEATURES_OK
    std::uint16_t config_vector_ = Messages::none;
    std::uint16_t queue_select_ = 0;
    std::array<QueueRegisters, queue_count> queues_{};
};

} // namespace casemate::vlink
