// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/instruction_decoder.hpp"

namespace casemate::core {
namespace {

constexpr std::uint8_t rex_w = 8, rex_r = 4;

struct Prefixes {
    bool operand_16 = false;
    bool has_rex = false;
    std::uint8_t rex = 0;
};

Prefixes read_prefixes(LittleEndianReader& code, std::uint8_t& opcode) {
    Prefixes found;
    for (opcode = code.u8(); code.ok(); opcode = code.u8()) {
        const bool segment = opcode == 0x2E || opcode == 0x36 || opcode == 0x3E || opcode == 0x26 ||
                             opcode == 0x64 || opcode == 0x65;
        if (opcode == 0x66)
            found.operand_16 = true;
        else if (!segment)
            break;
    }
    if ((opcode & 0xF0) == 0x40) {
        found.has_rex = true;
        found.rex = opcode & 0x0F;
        opcode = code.u8();
    }
    return found;
}

/// Skips SIB and displacement; the register field, or nothing if the operand is a register and not memory.
std::optional<unsigned> read_modrm(LittleEndianReader& code) {
    const std::uint8_t modrm = code.u8();
    const unsigned mod = modrm >> 6, rm = modrm & 7;
    if (mod == 3) return std::nullopt;
    const bool base_is_displacement = rm == 4 ? (code.u8() & 7) == 5 && mod == 0 : rm == 5 && mod == 0;
    if (mod == 1) code.bytes(1);
    if (mod == 2 || base_is_displacement) code.bytes(4);
    return modrm >> 3 & 7;
}

unsigned operand_width(const Prefixes& prefixes) {
    if (prefixes.rex & rex_w) return 8;
    return prefixes.operand_16 ? 2 : 4;
}

void set_register(MemoryAccess& access, const Prefixes& prefixes, unsigned field, unsigned register_width) {
    access.register_width = register_width;
    access.reg = field | (prefixes.rex & rex_r ? 8u : 0u);
    access.high_byte = register_width == 1 && !prefixes.has_rex && field >= 4;
    if (access.high_byte) access.reg = field - 4;
}

bool decode_move(std::uint8_t opcode, const Prefixes& prefixes, LittleEndianReader& code,
                 MemoryAccess& access) {
    access.width = opcode & 1 ? operand_width(prefixes) : 1;
    access.write = opcode == 0x88 || opcode == 0x89;
    const auto field = read_modrm(code);
    if (field) set_register(access, prefixes, *field, access.width);
    return field.has_value();
}

bool decode_store_immediate(std::uint8_t opcode, const Prefixes& prefixes, LittleEndianReader& code,
                            MemoryAccess& access) {
    access.width = opcode & 1 ? operand_width(prefixes) : 1;
    access.write = true;
    if (read_modrm(code) != 0u) return false;
    switch (access.width) {
    case 1: access.immediate = code.u8(); break;
    case 2: access.immediate = code.u16(); break;
    default:
        access.immediate = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(code.u32())});
    }
    return true;
}

bool decode_zero_extend(std::uint8_t opcode, const Prefixes& prefixes, LittleEndianReader& code,
                        MemoryAccess& access) {
    access.width = opcode == 0xB7 ? 2 : 1;
    const auto field = read_modrm(code);
    if (field) set_register(access, prefixes, *field, operand_width(prefixes));
    return field.has_value();
}

bool decode(LittleEndianReader& code, MemoryAccess& access) {
    std::uint8_t opcode = 0;
    const Prefixes prefixes = read_prefixes(code, opcode);
    if (opcode >= 0x88 && opcode <= 0x8B) return decode_move(opcode, prefixes, code, access);
    if (opcode == 0xC6 || opcode == 0xC7) return decode_store_immediate(opcode, prefixes, code, access);
    if (opcode != 0x0F) return false;
    opcode = code.u8();
    return (opcode == 0xB6 || opcode == 0xB7) && decode_zero_extend(opcode, prefixes, code, access);
}

} // namespace

std::optional<MemoryAccess> decode_memory_access(ByteView bytes) {
    LittleEndianReader code{bytes};
    MemoryAccess access;
    if (!decode(code, access) || !code.ok()) return std::nullopt;
    access.length = static_cast<unsigned>(bytes.size() - code.remaining());
    return access;
}

} // namespace casemate::core
