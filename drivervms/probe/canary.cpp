// SPDX-License-Identifier: Apache-2.0
// Implements canary.hpp.
#include "drivervms/probe/canary.hpp"

#include "drivervms/probe/io.hpp"
#include "drivervms/probe/pattern.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>

namespace casemate::probe {
namespace {

constexpr std::size_t page_size = 4096;
constexpr timespec between_rounds{1, 0};

ByteSpan locked_memory(std::uint64_t bytes) {
    void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (at == MAP_FAILED) throw failed("map memory");
    ::mlock(at, bytes);
    return {static_cast<std::uint8_t*>(at), bytes};
}

/// [proc_pid_pagemap(5)]: bits 0-54 are the page frame.
std::uint64_t physical_address(const void* at) {
    const Descriptor map{::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), "pagemap"};
    std::uint64_t entry = 0;
    const auto offset = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(at) / page_size * sizeof entry);
    if (::pread(map.get(), &entry, sizeof entry, offset) != sizeof entry) throw failed("read pagemap");
    return (entry & ((1ull << 55) - 1)) * page_size;
}

void mark(ByteSpan page) {
    std::uint64_t magic[2] = {};
    if (::getrandom(magic, sizeof magic, 0) != sizeof magic) throw failed("getrandom");
    std::memcpy(page.data(), magic, sizeof magic);
    std::printf("CM_CANARY mark address=0x%llx magic=", static_cast<unsigned long long>(physical_address(page.data())));
    for (std::size_t i = 0; i < sizeof magic; ++i) std::printf("%02x", page[i]);
    std::printf("\n");
}

std::uint64_t bad_pages(ByteView memory, std::uint64_t seed) {
    std::uint64_t bad = 0;
    std::uint8_t expected[page_size];
    Pattern pattern{seed};
    for (; !memory.empty(); memory = memory.subspan(page_size)) {
        pattern.fill(expected);
        bad += std::ranges::equal(memory.first(page_size), expected) ? 0 : 1;
    }
    return bad;
}

} // namespace

void keep_canary(std::uint64_t bytes, std::uint64_t seed) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    mark(locked_memory(page_size));
    const ByteSpan memory = locked_memory(bytes);
    Pattern{seed}.fill(memory);
    for (unsigned long long round = 1;; ++round) {
        std::printf("CM_CANARY round=%llu pages=%llu bad=%llu\n", round, static_cast<unsigned long long>(bytes / page_size),
                    static_cast<unsigned long long>(bad_pages(memory, seed)));
        ::nanosleep(&between_rounds, nullptr);
    }
}

} // namespace casemate::probe
