// SPDX-License-Identifier: Apache-2.0
// The C library functions that the compiler emits calls to and that Debian's libbearssl.a needs, with the
// fortified variants. Freestanding only. Built with -fno-tree-loop-distribute-patterns: else these loops would
// become calls of themselves.
#include "hypervisor/base/check.hpp"
#include "hypervisor/base/rt/memory_loops.hpp"
#include "hypervisor/base/rt/stack_guard.hpp"

namespace rt = casemate::rt;

extern "C" {

alignas(64) std::uint64_t stack_guard_block[8] = {0, 0, 0, 0, 0, 0x0a0d00ff5c3e1b79, 0, 0};

void* memcpy(void* to, const void* from, std::size_t count) {
    rt::copy_forward(static_cast<std::uint8_t*>(to), static_cast<const std::uint8_t*>(from), count);
    return to;
}

void* memmove(void* to, const void* from, std::size_t count) {
    auto* target = static_cast<std::uint8_t*>(to);
    const auto* source = static_cast<const std::uint8_t*>(from);
    if (target <= source) rt::copy_forward(target, source, count);
    else rt::copy_backward(target, source, count);
    return to;
}

void* memset(void* to, int byte, std::size_t count) {
    rt::fill(static_cast<std::uint8_t*>(to), static_cast<std::uint8_t>(byte), count);
    return to;
}

int memcmp(const void* a, const void* b, std::size_t count) {
    return rt::compare(static_cast<const std::uint8_t*>(a), static_cast<const std::uint8_t*>(b), count);
}

std::size_t strlen(const char* text) {
    std::size_t size = 0;
    while (text[size] != '\0') ++size;
    return size;
}

void* __memcpy_chk(void* to, const void* from, std::size_t count, std::size_t capacity) {
    CHECK(count <= capacity);
    return memcpy(to, from, count);
}

void* __memmove_chk(void* to, const void* from, std::size_t count, std::size_t capacity) {
    CHECK(count <= capacity);
    return memmove(to, from, count);
}

void* __memset_chk(void* to, int byte, std::size_t count, std::size_t capacity) {
    CHECK(count <= capacity);
    return memset(to, byte, count);
}

[[noreturn]] void __stack_chk_fail() { casemate::contract_violated("stack canary", "rt", 0); }

} // extern "C"
