// SPDX-License-Identifier: Apache-2.0
// What SKINIT requires before it launches, as pure functions of the processors' state [APM2 15.27, APM3 SKINIT].
// Stricter than silicon where silicon would go on into a launch that nobody could attest; each such rule says so.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace casemate::model {

struct ProcessorState {
    std::uint64_t rax = 0;
    std::uint64_t rflags = 0;
    std::uint64_t cs = 0;
    std::uint64_t cr0 = 0;
    std::uint64_t efer = 0;
    std::vector<std::string> running_processors; // the others that execute instructions
};

enum class Fault { undefined_opcode, general_protection };

struct Refusal {
    Fault fault = Fault::undefined_opcode;
    std::string reason;
};

/// Nothing when this processor may launch.
std::optional<Refusal> check_processor(const ProcessorState& state);

/// The secure loader block as SKINIT takes it: EAX with its low 16 bits cleared, and the header's two words.
struct SecureLoader {
    std::uint32_t base = 0;
    std::uint16_t entry = 0;
    std::uint16_t length = 0; // bytes to measure, exactly; 0 is not 64 KiB
};

inline constexpr std::size_t secure_loader_header_size = 4;
inline constexpr std::uint32_t secure_loader_region = 64 * 1024;

/// `header`: the first bytes at the base. UNTRUSTED: written by whoever executes SKINIT.
Result<SecureLoader, Refusal> read_secure_loader(std::uint64_t rax, ByteView header);

} // namespace casemate::model
