// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/skinit_model.hpp"

#include "dlaunch/model/microcode.hpp"

#include <openssl/sha.h>
#include <sys/ioctl.h>

namespace casemate::model {
namespace {

constexpr std::uint64_t efer_svme = 1u << 12;
constexpr std::uint64_t rflags_reset = 2;
constexpr int step_limit = 64; // the microcode has fewer than 30 instructions

/// The thread of a stop reply "T05thread:01;".
std::string stopped_thread(const std::string& stop) {
    const std::size_t start = stop.find("thread:");
    if (start == std::string::npos) return "1";
    return stop.substr(start + 7, stop.find(';', start) - start - 7);
}

std::string sha256_hex(ByteView bytes) {
    std::uint8_t digest[SHA256_DIGEST_LENGTH];
    ::SHA256(bytes.data(), bytes.size(), digest);
    return to_hex(digest);
}

} // namespace

Outcome<std::optional<LaunchRecord>> SkinitModel::on_readable() {
    if (!powered_) {
        TRY(debugger_.open());
        TRY(debugger_.resume());
        powered_ = true;
    }
    const auto stop = debugger_.poll_stop();
    if (!stop) return std::optional<LaunchRecord>{};
    if (!stop->starts_with("T05")) return std::optional<LaunchRecord>{}; // stopped by the monitor: not ours
    const auto start = std::chrono::steady_clock::now();
    thread_ = stopped_thread(*stop);
    LaunchRecord record = TRY(carry_out());
    TRY(debugger_.resume());
    record.microseconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count());
    return std::optional{std::move(record)};
}

Outcome<LaunchRecord> SkinitModel::carry_out() {
    LaunchRecord record;
    record.thread = thread_;
    TRY(debugger_.select(thread_));
    record.instruction = TRY(debugger_.get(Register::rip));
    TRY(debugger_.remove_breakpoint(record.instruction)); // one beside hot code is very slow
    record.processor = TRY(read_processor());
    if (const auto refusal = TRY(decide(record))) TRY(refuse(record, *refusal));
    else TRY(launch(record));
    return record;
}

Outcome<ProcessorState> SkinitModel::read_processor() {
    ProcessorState state;
    state.rax = TRY(debugger_.get(Register::rax));
    state.rflags = TRY(debugger_.get(Register::eflags));
    state.cs = TRY(debugger_.get(Register::cs));
    state.cr0 = TRY(debugger_.get(Register::cr0));
    state.efer = TRY(debugger_.get(Register::efer));
    for (const auto& thread : TRY(debugger_.threads())) {
        const std::string words = TRY(debugger_.describe(thread));
        if (std::stoul(thread, nullptr, 16) == std::stoul(thread_, nullptr, 16)) continue;
        if (words.find("[halted") == std::string::npos) state.running_processors.push_back(words);
    }
    return state;
}

/// Fills in the record's loader as far as it gets.
Outcome<std::optional<Refusal>> SkinitModel::decide(LaunchRecord& record) {
    if (mode_ == SkinitMode::refuse)
        return std::optional{Refusal{Fault::undefined_opcode, "the platform is configured to refuse SKINIT"}};
    if (auto refusal = check_processor(record.processor)) return refusal;
    TRY(debugger_.use(Addressing::physical));
    const auto base = record.processor.rax & 0xffff0000;
    const auto header = debugger_.read(base, secure_loader_header_size);
    const auto loader = read_secure_loader(base, header ? ByteView{header.value()} : ByteView{});
    if (!loader) return std::optional{loader.error()};
    record.loader = loader.value();
    return std::optional<Refusal>{};
}

Status<Error> SkinitModel::refuse(LaunchRecord& record, const Refusal& refusal) {
    const bool undefined = refusal.fault == Fault::undefined_opcode;
    record.result = undefined ? LaunchResult::undefined_opcode : LaunchResult::general_protection;
    record.reason = refusal.reason;
    TRY(debugger_.use(Addressing::linear));
    // The plugin reads it when the instruction is executed again, first thing after resume().
    if (::write(verdicts_.get(), undefined ? "u" : "g", 1) != 1) return fail_errno("the SKINIT plugin is gone");
    return Done{};
}

Status<Error> SkinitModel::launch(LaunchRecord& record) {
    const auto measured = TRY(debugger_.read(record.loader.base, record.loader.length));
    record.sha256 = sha256_hex(measured);
    record.result = mode_ == SkinitMode::unmeasured ? LaunchResult::unmeasured : LaunchResult::launched;
    if (record.result == LaunchResult::launched) TRY(tpm_.measure(measured));
    TRY(enter(record.loader));
    // The plugin counts them, leaves and reads them; code translated for a plugin is slower.
    if (::write(verdicts_.get(), "dd", 2) != 2) return fail_errno("the SKINIT plugin is gone");
    launched_ = true;
    return Done{};
}

bool SkinitModel::plugin_has_left() const {
    int unread = 0;
    return launched_ && ::ioctl(verdicts_.get(), FIONREAD, &unread) == 0 && unread == 0;
}

/// The architected state at the secure loader's entry point [APM3 SKINIT].
Status<Error> SkinitModel::enter(const SecureLoader& loader) {
    const std::uint32_t signature = TRY(run_microcode());
    for (unsigned name = 0; name < 8; ++name) TRY(debugger_.set(static_cast<Register>(name), 0));
    TRY(debugger_.set(Register::rax, loader.base));
    TRY(debugger_.set(Register::rdx, signature));
    TRY(debugger_.set(Register::rsp, std::uint64_t{loader.base} + secure_loader_region));
    TRY(debugger_.set(Register::efer, 0));
    TRY(debugger_.set(Register::eflags, rflags_reset));
    TRY(debugger_.set(Register::rip, std::uint64_t{loader.base} + loader.entry));
    return debugger_.use(Addressing::linear);
}

/// Returns CPUID.1 EAX, the processor's signature.
Outcome<std::uint32_t> SkinitModel::run_microcode() {
    const ByteView code{microcode_begin, microcode_end};
    const auto saved = TRY(debugger_.read(MICROCODE_BASE, code.size()));
    TRY(debugger_.write(MICROCODE_BASE, code));
    for (unsigned name = 8; name < 16; ++name) TRY(debugger_.set(static_cast<Register>(name), 0));
    TRY(debugger_.set(Register::eflags, rflags_reset));
    TRY(debugger_.set(Register::cr0, 0x10)); // leaves paging and long mode: nothing 64-bit can be set afterwards
    TRY(debugger_.set(Register::efer, efer_svme));
    for (const auto name : {Register::cr2, Register::cr3, Register::fs_base, Register::gs_base})
        TRY(debugger_.set(name, 0));
    for (const auto name : {Register::ds, Register::es, Register::ss, Register::fs, Register::gs, Register::cs}) {
        TRY(debugger_.set(name, 0xf000)); // QEMU reloads a segment only when its selector changes
        TRY(debugger_.set(name, 0));
    }
    TRY(debugger_.set(Register::rip, MICROCODE_BASE));
    TRY(step_microcode());
    const auto signature = TRY(debugger_.get(Register::rax));
    TRY(debugger_.write(MICROCODE_BASE, saved));
    return static_cast<std::uint32_t>(signature);
}

Status<Error> SkinitModel::step_microcode() {
    const auto done = MICROCODE_BASE + static_cast<std::uint64_t>(microcode_done - microcode_begin);
    for (int steps = 0; steps < step_limit; ++steps) {
        const auto at = TRY(debugger_.get(Register::rip));
        if (at == done) return Done{};
        if (at < MICROCODE_BASE || at > done) break;
        TRY(debugger_.step(thread_));
    }
    return fail("SKINIT's microcode went astray");
}

} // namespace casemate::model
