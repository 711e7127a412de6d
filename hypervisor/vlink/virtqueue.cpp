// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/vlink/virtqueue.hpp"

#include <atomic>

namespace casemate::vlink {
namespace {

/// [VIRTIO 2.7.5]; UNTRUSTED.
struct Descriptor {
    std::uint64_t addr;
    std::uint32_t len;
    std::uint16_t flags;
    std::uint16_t next;
};
static_assert(sizeof(Descriptor) == 16);
constexpr std::uint16_t flag_next = 1, flag_write = 2, flag_indirect = 4;

// Both rings start with flags and index; the other side's event index follows the entries [VIRTIO 2.7.6, 2.7.8].
constexpr std::size_t at_flags = 0, at_index = 2, at_entries = 4;
constexpr std::size_t driver_entry = 2, device_entry = 8, event_bytes = 2;
constexpr std::uint16_t suppress = 1; // NO_INTERRUPT in the driver's flags, NO_NOTIFY in the device's

// SAFETY: a field inside a ring that enable() has found aligned; an atomic access reads or writes it exactly once.
std::atomic_ref<std::uint16_t> field(ByteSpan ring, std::size_t offset) {
    return std::atomic_ref{*reinterpret_cast<std::uint16_t*>(ring.data() + offset)};
}

Descriptor read_descriptor(ByteSpan table, std::size_t index) {
    Descriptor copy;
    std::memcpy(&copy, table.data() + index * sizeof copy, sizeof copy);
    std::atomic_signal_fence(
        std::memory_order_seq_cst); // ORDER: the compiler never reads the table again for the copy
    return copy;
}

/// Has the index passed `event` on its way from `before` to `now`? [VIRTIO 2.7.10]
constexpr bool passed(std::uint16_t event, std::uint16_t now, std::uint16_t before) {
    return static_cast<std::uint16_t>(now - event - 1) < static_cast<std::uint16_t>(now - before);
}

} // namespace

bool Pieces::add(ByteSpan piece) {
    if (count_ == capacity) return false;
    pieces_[count_++] = piece;
    bytes_ += piece.size();
    return true;
}

void Pieces::cut(std::size_t count) {
    while (count_ > count) bytes_ -= pieces_[--count_].size();
}

Status<QueueError> Virtqueue::enable(const mm::GuestMemory& memory, const Rings& rings, Options options) {
    const bool power_of_two = rings.size != 0 && (rings.size & (rings.size - 1)) == 0;
    if (!power_of_two || rings.size > max_size) return Failure{QueueError::size};
    if (rings.descriptors.value % 16 != 0 || rings.driver.value % 2 != 0 || rings.device.value % 4 != 0)
        return Failure{QueueError::misaligned};
    Virtqueue made;
    made.memory_ = memory;
    made.options_ = options;
    made.size_ = rings.size;
    made.descriptors_ = memory.bytes(rings.descriptors, rings.size * sizeof(Descriptor));
    made.driver_ = memory.bytes(rings.driver, at_entries + rings.size * driver_entry + event_bytes);
    made.device_ = memory.bytes(rings.device, at_entries + rings.size * device_entry + event_bytes);
    if (made.descriptors_.empty() || made.driver_.empty() || made.device_.empty())
        return Failure{QueueError::ring_outside};
    *this = made;
    return Done{};
}

Virtqueue::Checked<std::uint16_t> Virtqueue::available() {
    // ORDER: acquire, with the driver's barrier before it moves the index: the entries below it are written.
    seen_avail_ = field(driver_, at_index).load(std::memory_order_acquire);
    const auto count = static_cast<std::uint16_t>(seen_avail_ - next_avail_);
    if (count > size_) return Failure{QueueError::avail_runs_ahead};
    return count;
}

Virtqueue::Checked<std::optional<Virtqueue::Chain>> Virtqueue::take(Pieces& pieces) {
    if (TRY(available()) == 0) return std::optional<Chain>{};
    const std::size_t entry = at_entries + next_avail_ % size_ * driver_entry;
    const std::uint16_t head = field(driver_, entry).load(std::memory_order_relaxed);
    if (head >= size_) return Failure{QueueError::head_outside};
    const std::size_t count = pieces.all().size();
    const std::uint64_t bytes = pieces.bytes();
    if (const auto status = collect(descriptors_, head, pieces, false); !status.ok()) {
        pieces.cut(count);
        return Failure{status.error()};
    }
    ++next_avail_;
    return std::optional{Chain{head, pieces.bytes() - bytes}};
}

Status<QueueError> Virtqueue::collect(ByteSpan table, std::uint16_t index, Pieces& pieces, bool nested) {
    const std::uint16_t wanted = options_.direction == Direction::device_writes ? flag_write : 0;
    const std::size_t entries = table.size() / sizeof(Descriptor);
    for (std::size_t step = 0; step < entries; ++step) {
        if (index >= entries) return Failure{QueueError::next_outside};
        const Descriptor descriptor = read_descriptor(table, index);
        if ((descriptor.flags & flag_indirect) != 0) {
            if (nested) return Failure{QueueError::indirect_nested};
            if (!options_.indirect) return Failure{QueueError::indirect_not_negotiated};
            if ((descriptor.flags & flag_next) != 0) return Failure{QueueError::indirect_and_next};
            return collect_indirect({descriptor.addr}, descriptor.len, pieces);
        }
        if ((descriptor.flags & flag_write) != wanted) return Failure{QueueError::wrong_direction};
        const ByteSpan piece = memory_.bytes({descriptor.addr}, descriptor.len);
        if (piece.empty()) return Failure{QueueError::buffer_outside};
        if (!pieces.add(piece)) return Failure{QueueError::too_many_pieces};
        if ((descriptor.flags & flag_next) == 0) return Done{};
        index = descriptor.next;
    }
    return Failure{QueueError::chain_too_long};
}

Status<QueueError> Virtqueue::collect_indirect(GuestPhys at, std::uint32_t bytes, Pieces& pieces) {
    const ByteSpan table = memory_.bytes(at, bytes);
    if (table.empty() || bytes % sizeof(Descriptor) != 0 || bytes > max_size * sizeof(Descriptor))
        return Failure{QueueError::indirect_table};
    return collect(table, 0, pieces, true);
}

void Virtqueue::put(std::uint16_t head, std::uint32_t written) {
    const std::uint32_t entry[] = {head, written};
    std::memcpy(device_.data() + at_entries + next_used_++ % size_ * device_entry, entry, sizeof entry);
}

bool Virtqueue::publish() {
    if (next_used_ == published_) return false;
    const std::uint16_t before = std::exchange(published_, next_used_);
    // ORDER: release: who sees the index sees the entries and the packet.
    field(device_, at_index).store(next_used_, std::memory_order_release);
    // ORDER: the index is out before the driver's wish is read; the driver writes its wish, then looks at the index.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!options_.event_idx)
        return (field(driver_, at_flags).load(std::memory_order_relaxed) & suppress) == 0;
    const std::size_t used_event = at_entries + size_ * driver_entry;
    return passed(field(driver_, used_event).load(std::memory_order_relaxed), next_used_, before);
}

/// With event_idx nothing has to be done: the driver passed the last index that was asked for.
void Virtqueue::stop_notifications() {
    if (!options_.event_idx) field(device_, at_flags).store(suppress, std::memory_order_relaxed);
}

bool Virtqueue::start_notifications() {
    if (options_.event_idx)
        field(device_, at_entries + size_ * device_entry).store(seen_avail_, std::memory_order_relaxed);
    else
        field(device_, at_flags).store(0, std::memory_order_relaxed);
    // ORDER: the wish is out before the index is read; the driver moves its index, then reads the wish.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return field(driver_, at_index).load(std::memory_order_relaxed) != seen_avail_;
}

} // namespace casemate::vlink
