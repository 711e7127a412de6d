// SPDX-License-Identifier: Apache-2.0
// A TPM behind the FIFO (TIS) interface, used by polling at one locality [TCG-PTP 6.5.2]. A template over its
// registers, so that unit tests run it against a recorded fake.
// Invariant: every wait has the specification's time-out; a response is returned whole or not at all. The bus
// may lie (a discrete TPM's wires are not trusted): sizes are checked before a byte is stored.
// Called by the SLB and the hypervisor at locality 2. Not for locality 4, which only hardware has.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/hw/tpm_tis_registers.hpp"

#include <algorithm>

namespace casemate::hw {

enum class TisError {
    absent = 1,     // nothing decodes at the locality's page
    no_locality,    // neither granted nor seized in time
    not_ready,      // commandReady did not come
    no_burst,       // burstCount stayed 0
    not_expecting,  // the TPM stopped expecting bytes too early, or expects more than there are
    no_response,    // dataAvail did not come in the command's time
    short_response, // fewer bytes than the response's header says
    long_response,  // more than fits, or more than the header says
};

/// `Bus` has read8, read32, write8, write32 at offsets within the locality's page.
template <typename Bus>
class TpmTis {
public:
    TpmTis(Bus& bus, const Clock& clock) : bus_{&bus}, clock_{&clock} {}

    [[nodiscard]] bool present() const {
        const std::uint32_t id = bus_->read32(tis::did_vid);
        return id != 0 && id != 0xffffffff;
    }

    /// Makes this locality the active one, by force when a lower one does not let go.
    Status<TisError> take_locality() {
        if (!present()) return Failure{TisError::absent};
        if (!await_access(tis::tpm_reg_valid_sts)) return Failure{TisError::absent};
        bus_->write8(tis::access, tis::request_use);
        if (await_access(tis::active_locality | tis::tpm_reg_valid_sts)) return Done{};
        bus_->write8(tis::access, tis::seize);
        if (await_access(tis::active_locality | tis::tpm_reg_valid_sts)) return Done{};
        return Failure{TisError::no_locality};
    }

    void release_locality() { bus_->write8(tis::access, tis::active_locality); }

    /// Sends one command and returns its response, a front part of `response`.
    Result<ByteView, TisError> transmit(ByteView command, ByteSpan response) {
        TRY(start(command));
        return finish(response, tis::command_limit);
    }

    /// The same in steps: start, look whether the response is there, fetch it (or stop waiting for it).
    Status<TisError> start(ByteView command) {
        TRY(send(command));
        bus_->write32(tis::sts, tis::tpm_go);
        return Done{};
    }
    [[nodiscard]] bool response_ready() const {
        constexpr std::uint32_t available = tis::sts_valid | tis::data_avail;
        return (bus_->read32(tis::sts) & available) == available;
    }
    Result<ByteView, TisError> finish(ByteSpan response, Micros limit) {
        const Result<ByteView, TisError> received = receive(response, limit);
        abandon();
        return received;
    }
    /// Drops command and response: back to idle.
    void abandon() { bus_->write32(tis::sts, tis::command_ready); }

private:
    static constexpr std::size_t header_size = 10; // tag, responseSize, responseCode [TPM2-P1 18.1]

    bool await_access(std::uint8_t bits) const {
        const Deadline deadline{*clock_, tis::timeout_a};
        for (;;) {
            const bool late = deadline.passed(); // asked first: one look at the register after the time is up
            const std::uint8_t value = bus_->read8(tis::access);
            if (value != 0xff && (value & bits) == bits) return true;
            if (late) return false;
        }
    }

    /// Waits until the bits under `mask` are `wanted`.
    bool await_status(std::uint32_t mask, std::uint32_t wanted, Micros limit) const {
        const Deadline deadline{*clock_, limit};
        for (;;) {
            const bool late = deadline.passed();
            if ((bus_->read32(tis::sts) & mask) == wanted) return true;
            if (late) return false;
        }
    }

    Result<std::size_t, TisError> await_burst() const {
        const Deadline deadline{*clock_, tis::timeout_d};
        for (;;) {
            const bool late = deadline.passed();
            const std::size_t burst = bus_->read32(tis::sts) >> tis::burst_count_shift & tis::burst_count_mask;
            if (burst != 0) return burst;
            if (late) return Failure{TisError::no_burst};
        }
    }

    Status<TisError> send(ByteView command) {
        bus_->write32(tis::sts, tis::command_ready);
        if (!await_status(tis::command_ready, tis::command_ready, tis::timeout_b)) return Failure{TisError::not_ready};
        while (!command.empty()) {
            const std::size_t burst = std::min(TRY(await_burst()), command.size());
            for (const std::uint8_t byte : command.first(burst)) bus_->write8(tis::data_fifo, byte);
            command = command.subspan(burst);
            const std::uint32_t more = command.empty() ? 0 : tis::expect;
            if (!await_status(tis::sts_valid | tis::expect, tis::sts_valid | more, tis::timeout_c))
                return Failure{TisError::not_expecting};
        }
        return Done{};
    }

    Result<ByteView, TisError> receive(ByteSpan response, Micros limit) {
        constexpr std::uint32_t available = tis::sts_valid | tis::data_avail;
        if (response.size() < header_size) return Failure{TisError::long_response};
        if (!await_status(available, available, limit)) return Failure{TisError::no_response};
        TRY(read_fifo(response.first(header_size)));
        BigEndianReader header{response.first(header_size)};
        header.u16();
        const std::size_t size = header.u32(); // UNTRUSTED
        if (size < header_size) return Failure{TisError::short_response};
        if (size > response.size()) return Failure{TisError::long_response};
        TRY(read_fifo(response.subspan(header_size, size - header_size)));
        if (!await_status(available, tis::sts_valid, tis::timeout_c)) return Failure{TisError::long_response};
        return ByteView{response.first(size)};
    }

    Status<TisError> read_fifo(ByteSpan target) {
        constexpr std::uint32_t available = tis::sts_valid | tis::data_avail;
        while (!target.empty()) {
            if (!await_status(available, available, tis::timeout_c)) return Failure{TisError::short_response};
            const std::size_t burst = std::min(TRY(await_burst()), target.size());
            for (std::uint8_t& byte : target.first(burst)) byte = bus_->read8(tis::data_fifo);
            target = target.subspan(burst);
        }
        return Done{};
    }

    Bus* bus_;
    const Clock* clock_;
};

} // namespace casemate::hw
