// SPDX-License-Identifier: Apache-2.0
// MSI-X of a virtual function [PCI 3.0 6.8.2]: which vector of its VM's processor stands for which event.
// UNTRUSTED: every entry. Only a fixed, edge-triggered message to the VM's one processor is ever sent, vector 16 and above; any
// other is dropped. No remapping is needed: the message never leaves the VM.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace casemate::vlink {

/// What an end asks of its VM; core::Vm implements it.
class EndHost {
public:
    virtual void post_interrupt(std::uint8_t vector) = 0;
    /// End::service(), on the VM's own core, at once.
    virtual void call_service() = 0;
    /// The same when the VM sleeps, or within a fraction of a millisecond.
    virtual void call_service_soon() = 0;

protected:
    ~EndHost() = default;
};

class Messages {
public:
    static constexpr std::uint16_t count = 3, none = 0xffff;
    static constexpr std::uint64_t table_size = count * 16;

    explicit Messages(EndHost& host) : host_{host} {}

    void reset();
    /// Sends the message, or keeps it pending while masked. `none` and what lies behind the table: nothing.
    void raise(std::uint16_t entry);

    /// Message control in configuration space: enable and function mask can be written.
    [[nodiscard]] std::uint16_t control() const { return static_cast<std::uint16_t>(control_ | (count - 1)); }
    void write_control(std::uint16_t value);
    /// Dword `index` of the table, below table_size / 4.
    [[nodiscard]] std::uint32_t read(std::size_t index) const { return table_[index]; }
    void write(std::size_t index, std::uint32_t value);
    [[nodiscard]] std::uint32_t pending() const { return pending_; }

private:
    [[nodiscard]] bool masked(std::uint16_t entry) const;
    [[nodiscard]] std::optional<std::uint8_t> vector(std::uint16_t entry) const;
    void send_pending();

    EndHost& host_;
    std::array<std::uint32_t, count * 4> table_{};
    std::uint16_t control_ = 0;
    std::uint32_t pending_ = 0; // a bit an entry
};

} // namespace casemate::vlink
