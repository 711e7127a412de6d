// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/devices/tpm_crb.hpp"

#include "hypervisor/base/check.hpp"

#include <algorithm>

namespace casemate::devices {

namespace {

// Registers [TCG-PTP table 35], offsets in the page.
enum Register : std::uint32_t {
    loc_state = 0x00,
    loc_ctrl = 0x08,
    loc_sts = 0x0c,
    intf_id = 0x30,
    ctrl_req = 0x40,
    ctrl_sts = 0x44,
    ctrl_start = 0x4c,
    ctrl_cmd_size = 0x58,
    ctrl_cmd_laddr = 0x5c,
    ctrl_rsp_size = 0x64,
    ctrl_rsp_addr = 0x68,
};
constexpr std::uint32_t state_assigned = 1 << 1, state_valid = 1 << 7; // loc_state
constexpr std::uint32_t request_access = 1 << 0, relinquish = 1 << 1;  // loc_ctrl
constexpr std::uint32_t granted = 1 << 0;                              // loc_sts
constexpr std::uint32_t cmd_ready = 1 << 0, go_idle = 1 << 1;          // ctrl_req
constexpr std::uint32_t idle = 1 << 1;                                 // ctrl_sts
constexpr std::uint32_t interface_crb =
    1 | 1 << 4 | 1 << 14 | 1 << 17; // intf_id: CRB, version 1, CapCRB, selected

constexpr std::uint16_t tpm_st_no_sessions = 0x8001;
constexpr std::size_t header_size = 10; // tag, size, code [TPM2-P1 18]
constexpr std::uint32_t tpm_rc_failure = 0x101, tpm_rc_command_code = 0x143; // [TPM2-P2 6.6.3]

} // namespace

TpmCrb::TpmCrb(ByteSpan registers, ByteSpan buffer, std::span<const std::uint32_t> allowed, AgentTpm& tpm)
    : registers_{registers}, buffer_{buffer}, allowed_{allowed}, tpm_{tpm} {
    CHECK(registers.size() == page && buffer.size() == buffer_size);
    reset();
}

void TpmCrb::reset() {
    ready_ = false;
    put(loc_state, state_valid);
    put(loc_sts, 0);
    put(intf_id, interface_crb);
    put(ctrl_req, 0);
    put(ctrl_sts, idle);
    put(ctrl_start, running_); // a command of the former life ends on its own
    put(ctrl_cmd_size, buffer_size);
    put(ctrl_cmd_laddr, base + page);
    put(ctrl_rsp_size, buffer_size);
    put(ctrl_rsp_addr, base + page);
}

void TpmCrb::put(std::uint32_t offset, std::uint32_t value) {
    LittleEndianWriter{registers_.subspan(offset, sizeof value)}.u32(value);
}

std::uint64_t TpmCrb::read_memory(std::uint64_t offset, unsigned width) {
    if (offset >= page || width > page - offset) return ~0ull;
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width; ++i) value |= std::uint64_t{registers_[offset + i]} << 8 * i;
    return value;
}

// Locality and power state follow at once: the hypervisor shares the real TPM by itself, command by command.
void TpmCrb::write_memory(std::uint64_t offset, unsigned width, std::uint64_t value) {
    if (width != 4) return;
    switch (offset) {
    case loc_ctrl:
        if (value & relinquish) {
            put(loc_state, state_valid);
            put(loc_sts, 0);
        } else if (value & request_access) {
            put(loc_state, state_valid | state_assigned);
            put(loc_sts, granted);
        }
        break;
    case ctrl_req:
        if (running_) break;
        ready_ = (value & cmd_ready) != 0;
        if (value & (cmd_ready | go_idle)) put(ctrl_sts, ready_ ? 0 : idle);
        break;
    case ctrl_start:
        if ((value & 1) && ready_ && !running_) start();
        break;
    default: break;
    }
}

void TpmCrb::start() {
    std::ranges::copy(buffer_,
                      command_.begin()); // UNTRUSTED: the guest may go on writing; only the copy counts
    BigEndianReader header{command_};
    header.u16();
    const std::uint32_t size = header.u32();
    const std::uint32_t code = header.u32();
    if (size < header_size || size > command_.size() || std::ranges::count(allowed_, code) == 0)
        return answer_error(tpm_rc_command_code);
    if (!tpm_.submit(ByteView{command_}.first(size))) return answer_error(tpm_rc_failure);
    running_ = true;
    put(ctrl_start, 1);
    poll();
}

void TpmCrb::poll() {
    if (!running_) return;
    const std::optional<ByteView> response = tpm_.poll();
    if (!response) return;
    running_ = false;
    if (response->empty() || response->size() > buffer_.size())
        answer_error(tpm_rc_failure);
    else
        answer(*response);
}

void TpmCrb::answer(ByteView response) {
    std::ranges::copy(response, buffer_.begin());
    put(ctrl_start, 0);
}

void TpmCrb::answer_error(std::uint32_t code) {
    std::array<std::uint8_t, header_size> response{};
    BigEndianWriter out{response};
    out.u16(tpm_st_no_sessions);
    out.u32(header_size);
    out.u32(code);
    answer(response);
}

} // namespace casemate::devices
