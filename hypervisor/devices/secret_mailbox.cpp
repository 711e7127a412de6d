// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/secret_mailbox.hpp"

#include <utility>

namespace casemate::devices {

bool SecretMailbox::put(std::string_view name, ByteView secret) {
    if (!empty() || name.empty() || name.size() > max_name || secret.empty() || secret.size() > max_secret) return false;
    BigEndianWriter out{bytes_};
    out.u8(static_cast<std::uint8_t>(name.size()));
    out.bytes({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
    out.u8(static_cast<std::uint8_t>(secret.size()));
    out.bytes(secret);
    // ORDER: release, with the acquire in empty(): the guest's core sees the bytes of what it sees to be there.
    size_.store(static_cast<std::uint8_t>(out.size()), std::memory_order_release);
    return true;
}

std::uint32_t SecretMailbox::read_port(std::uint16_t, unsigned) {
    if (empty()) return ~0u;
    const std::uint8_t byte = std::exchange(bytes_[read_], 0);
    if (++read_ == size_.load(std::memory_order_relaxed)) reset();
    return byte;
}

// ORDER: release, with the acquire in empty(): put() writes only what nobody reads any more.
void SecretMailbox::reset() {
    bytes_.fill(0);
    read_ = 0;
    size_.store(0, std::memory_order_release);
}

} // namespace casemate::devices
