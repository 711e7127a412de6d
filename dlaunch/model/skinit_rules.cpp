// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/skinit_rules.hpp"

namespace casemate::model {
namespace {

constexpr std::uint64_t cr0_pe = 1u << 0;
constexpr std::uint64_t efer_svme = 1u << 12;
constexpr std::uint64_t rflags_vm = 1u << 17;
constexpr std::uint64_t selector_rpl = 3;

Refusal undefined_opcode(std::string reason) { return {Fault::undefined_opcode, std::move(reason)}; }
Refusal general_protection(std::string reason) { return {Fault::general_protection, std::move(reason)}; }

} // namespace

std::optional<Refusal> check_processor(const ProcessorState& state) {
    if (!(state.cr0 & cr0_pe) || (state.rflags & rflags_vm)) return undefined_opcode("not in protected mode");
    // Silicon with the SKINIT feature bit also takes it with EFER.SVME=0; without the bit it does not.
    if (!(state.efer & efer_svme)) return undefined_opcode("EFER.SVME is 0");
    if (state.cs & selector_rpl) return general_protection("CPL is not 0");
    // Silicon would launch and leave PCR 17 without the measurement [APM2 15.27.8]: say it at once instead.
    if (!state.running_processors.empty())
        return general_protection("another processor is not halted: " + state.running_processors.front());
    return std::nullopt;
}

Result<SecureLoader, Refusal> read_secure_loader(std::uint64_t rax, ByteView header) {
    if (header.size() < secure_loader_header_size)
        return Failure{general_protection("the secure loader block is not in memory")};
    LittleEndianReader words{header};
    SecureLoader loader;
    loader.base = static_cast<std::uint32_t>(rax) & ~(secure_loader_region - 1);
    loader.entry = words.u16();
    loader.length = words.u16();
    // The next two would launch on silicon, into code that PCR 17 says nothing about.
    if (loader.length < secure_loader_header_size)
        return Failure{general_protection("the secure loader block's length does not cover its header")};
    if (loader.entry < secure_loader_header_size || loader.entry >= loader.length)
        return Failure{general_protection("the entry point is not in the measured part of the secure loader block")};
    return loader;
}

} // namespace casemate::model
