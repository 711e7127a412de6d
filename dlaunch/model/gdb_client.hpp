// SPDX-License-Identifier: Apache-2.0
// A debugger for QEMU's gdb stub: synchronous requests with a bound, while the machine stands still.
// Invariant: every request is answered or fails; a stop reply that arrives late is never taken for an answer.
// Used by SkinitModel only. Register numbers are those of QEMU's x86-64 target.
#pragma once

#include "dlaunch/model/byte_io.hpp"
#include "dlaunch/model/gdb_packet.hpp"

namespace casemate::model {

enum class Register : unsigned {
    rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15,
    rip, eflags, cs, ss, ds, es, fs, gs, fs_base, gs_base, kernel_gs_base, cr0, cr2, cr3, cr4, cr8, efer,
};

/// Addresses in read() and write(): as the current thread sees them, or physical.
enum class Addressing { linear, physical };

class GdbClient {
public:
    explicit GdbClient(UniqueFd connection) : connection_{std::move(connection)} {}

    [[nodiscard]] int fd() const { return connection_.get(); }
    /// First of all; does not wait, since QEMU answers only once its devices are complete.
    Status<Error> greet();
    /// When the answer to greet() makes fd() readable.
    Status<Error> open();
    /// A stop reply that has arrived since resume(): "T05..."; never waits.
    std::optional<std::string> poll_stop();
    Status<Error> resume();
    /// One instruction of `thread`; the others stand still.
    Status<Error> step(const std::string& thread);

    Outcome<std::vector<std::string>> threads();
    /// QEMU's words on a thread, for example "CPU#1 [halted ]".
    Outcome<std::string> describe(const std::string& thread);
    Status<Error> select(const std::string& thread);
    Outcome<std::uint64_t> get(Register name);
    Status<Error> set(Register name, std::uint64_t value);
    Status<Error> use(Addressing addressing);
    Outcome<std::vector<std::uint8_t>> read(std::uint64_t address, std::size_t size);
    Status<Error> write(std::uint64_t address, ByteView bytes);
    Status<Error> remove_breakpoint(std::uint64_t address);

private:
    Outcome<std::string> request(std::string_view payload);
    Status<Error> command(std::string_view payload); // expects OK
    Status<Error> send(std::string_view text);
    Outcome<std::string> next_packet();

    UniqueFd connection_;
    PacketDecoder decoder_;
};

} // namespace casemate::model
