// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/vlink/virtio_net.hpp"

namespace casemate::vlink {
namespace {

/// struct virtio_pci_common_cfg [VIRTIO 4.1.4.3]
enum Register : std::uint64_t {
    device_feature_select = 0,
    device_feature = 4,
    driver_feature_select = 8,
    driver_feature = 12,
    config_msix_vector = 16,
    num_queues = 18,
    device_status = 20,
    config_generation = 21,
    queue_select = 22,
    queue_size = 24,
    queue_msix_vector = 26,
    queue_enable = 28,
    queue_notify_off = 30,
    queue_desc = 32, // three addresses of 8 bytes, written in halves
    queue_end = 56,
};

// [VIRTIO 2.1]
constexpr std::uint8_t driver_bits = 1 | 2, driver_ok = 4, features_ok = 8, needs_reset = 64, failed = 128;
constexpr std::uint8_t isr_queue = 1, isr_config = 2;
constexpr std::uint16_t link_is_up = 1;

constexpr std::uint32_t half(std::uint64_t value, std::uint64_t which) {
    return static_cast<std::uint32_t>(value >> 32 * (which & 1));
}
constexpr void set_half(std::uint64_t& value, std::uint64_t which, std::uint32_t part) {
    const unsigned shift = 32 * (which & 1);
    value = (value & ~(0xffffffffull << shift)) | std::uint64_t{part} << shift;
}
/// A vector that the table does not have reads back as none [VIRTIO 4.1.5.1.2].
constexpr std::uint16_t known_vector(std::uint32_t value) {
    return value < Messages::count ? static_cast<std::uint16_t>(value) : Messages::none;
}

} // namespace

void VirtioNet::reset() {
    status_ = isr_ = 0;
    error_ = QueueError::none;
    offered_select_ = features_select_ = 0;
    features_ = 0;
    config_vector_ = Messages::none;
    queue_select_ = 0;
    queues_ = {};
}

bool VirtioNet::running() const {
    return (status_ & (driver_ok | needs_reset | failed)) == driver_ok && queues_[receive].enabled &&
           queues_[transmit].enabled;
}

void VirtioNet::fail(QueueError error) {
    error_ = error;
    status_ |= needs_reset;
    change_config();
}

void VirtioNet::set_link_up(bool up) {
    if (std::exchange(link_up_, up) != up) change_config();
}

void VirtioNet::change_config() {
    ++generation_;
    if (!has(driver_ok)) return;
    isr_ |= isr_config;
    messages_.raise(config_vector_);
}

void VirtioNet::signal(Queue which) {
    isr_ |= isr_queue;
    messages_.raise(queues_[which].vector);
}

std::uint32_t VirtioNet::read_common(std::uint64_t offset) const {
    switch (offset) {
    case device_feature_select: return offered_select_;
    case device_feature: return offered_select_ < 2 ? half(offered, offered_select_) : 0;
    case driver_feature_select: return features_select_;
    case driver_feature: return features_select_ < 2 ? half(features_, features_select_) : 0;
    case config_msix_vector: return config_vector_;
    case num_queues: return queue_count;
    case device_status: return status_;
    case config_generation: return generation_;
    case queue_select: return queue_select_;
    default: return queue_select_ < queue_count ? read_queue(offset) : 0;
    }
}

std::uint32_t VirtioNet::read_queue(std::uint64_t offset) const {
    const QueueRegisters& queue = queues_[queue_select_];
    switch (offset) {
    case queue_size: return queue.size;
    case queue_msix_vector: return queue.vector;
    case queue_enable: return queue.enabled;
    case queue_notify_off: return 0; // one port for all: the value names the queue
    default: break;
    }
    if (offset < queue_desc || offset >= queue_end || offset % 4 != 0) return 0;
    return half(queue.address[(offset - queue_desc) / 8], offset / 4);
}

void VirtioNet::write_common(std::uint64_t offset, std::uint32_t value) {
    switch (offset) {
    case device_feature_select: offered_select_ = value; break;
    case driver_feature_select: features_select_ = value; break;
    case driver_feature:
        if (!has(features_ok) && features_select_ < 2) set_half(features_, features_select_, value);
        break;
    case config_msix_vector: config_vector_ = known_vector(value); break;
    case device_status: write_status(static_cast<std::uint8_t>(value)); break;
    case queue_select: queue_select_ = static_cast<std::uint16_t>(value); break;
    default:
        if (queue_select_ < queue_count) write_queue(offset, value);
    }
}

/// Bits are only ever added; FEATURES_OK is refused for features that were not offered, DRIVER_OK without FEATURES_OK.
void VirtioNet::write_status(std::uint8_t value) {
    if (value == 0) return reset();
    status_ |= value & (driver_bits | failed);
    if ((features_ & ~offered) == 0 && (features_ & feature::version_1) != 0) status_ |= value & features_ok;
    if (has(features_ok)) status_ |= value & driver_ok;
}

void VirtioNet::write_queue(std::uint64_t offset, std::uint32_t value) {
    QueueRegisters& queue = queues_[queue_select_];
    if (offset == queue_msix_vector) queue.vector = known_vector(value);
    if (queue.enabled) return;
    if (offset == queue_size)
        queue.size = static_cast<std::uint16_t>(value);
    else if (offset == queue_enable && value == 1)
        enable_queue();
    else if (offset >= queue_desc && offset < queue_end && offset % 4 == 0)
        set_half(queue.address[(offset - queue_desc) / 8], offset / 4, value);
}

void VirtioNet::enable_queue() {
    QueueRegisters& queue = queues_[queue_select_];
    if (!has(features_ok)) return;
    const auto status = queue.ring.enable(
        memory_, {queue.size, {queue.address[0]}, {queue.address[1]}, {queue.address[2]}},
        {.direction = queue_select_ == receive ? Direction::device_writes : Direction::device_reads,
         .indirect = (features_ & feature::indirect) != 0,
         .event_idx = (features_ & feature::event_idx) != 0});
    queue.enabled = status.ok();
    if (!status.ok()) fail(status.error());
}

std::array<std::uint8_t, VirtioNet::device_size> VirtioNet::device_config() const {
    std::array<std::uint8_t, device_size> config{};
    LittleEndianWriter out{config};
    out.bytes(mac_);
    out.u16(link_up_ ? link_is_up : 0);
    out.u16(1); // pair of queues
    out.u16(max_mtu);
    return config;
}

} // namespace casemate::vlink
