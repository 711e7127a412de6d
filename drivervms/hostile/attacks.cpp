// SPDX-License-Identifier: Apache-2.0
#include "drivervms/hostile/attacks.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

namespace casemate::hostile {

namespace {

constexpr std::uint64_t own_memory_end = 128ull << 20, emulated_ram_end = 2ull << 30;
constexpr std::uint64_t ram_step = 32ull << 20;
/// IOMMU, TPM, I/O APIC, local APIC, firmware, the BARs of the other two functions, and what lies above 4 GiB.
constexpr std::uint64_t platform_targets[] = {0xfed80000, 0xfed40000, 0xfed42000, 0xfec00000, 0xfff00000,
                                              0xc0020000, 0x100000000, 0xe000000000};

std::span<std::uint8_t> transfer_part(const OwnPage& page) { return page.bytes.first(EduDevice::most); }

/// 32 bytes that stand nowhere but where they were written at run time: in no file and no image.
void fill_with_pattern(std::span<std::uint8_t> bytes) {
    constexpr std::uint8_t mixed[] = "dbtfnbuf.iptujmf.enb.qbuufso.123";
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(mixed[i % 32] - 1);
}

bool is_one_byte_repeated(std::span<const std::uint8_t> bytes) {
    return std::ranges::all_of(bytes, [&](std::uint8_t byte) { return byte == bytes[0]; });
}

template <typename Function>
void for_each_foreign_target(Function function) {
    for (std::uint64_t at = own_memory_end; at < emulated_ram_end; at += ram_step) function(at);
    for (const std::uint64_t at : platform_targets) function(at);
}

} // namespace

bool move_own_memory(EduDevice& edu) {
    const auto from = own_page(), to = own_page();
    if (!from || !to) return false;
    fill_with_pattern(transfer_part(*from));
    const bool moved = edu.fetch(from->bus_address, EduDevice::most) && edu.store(to->bus_address, EduDevice::most);
    const bool works = moved && std::ranges::equal(transfer_part(*from), transfer_part(*to));
    std::printf("CM_HOSTILE own_dma works=%d from=0x%llx to=0x%llx\n", works,
                static_cast<unsigned long long>(from->bus_address), static_cast<unsigned long long>(to->bus_address));
    return works; // both pages stay mapped: the test finds the pattern in this VM's memory
}

void write_foreign_memory(EduDevice& edu) {
    const auto source = own_page();
    if (!source) return;
    fill_with_pattern(transfer_part(*source));
    unsigned tried = 0, finished = 0;
    for_each_foreign_target([&](std::uint64_t at) {
        ++tried;
        finished += edu.fetch(source->bus_address, EduDevice::most) && edu.store(at, EduDevice::most);
    });
    std::printf("CM_HOSTILE dma_writes tried=%u finished=%u\n", tried, finished);
}

void read_foreign_memory(EduDevice& edu) {
    const auto source = own_page(), result = own_page();
    if (!source || !result) return;
    fill_with_pattern(transfer_part(*source));
    unsigned tried = 0, unchanged = 0, blank = 0, leaked = 0;
    for_each_foreign_target([&](std::uint64_t at) {
        ++tried;
        if (!edu.fetch(source->bus_address, EduDevice::most) || !edu.fetch(at, EduDevice::most) ||
            !edu.store(result->bus_address, EduDevice::most))
            return;
        const auto got = transfer_part(*result);
        if (std::ranges::equal(got, transfer_part(*source))) ++unchanged;
        else if (is_one_byte_repeated(got)) ++blank;
        else ++leaked;
    });
    std::printf("CM_HOSTILE dma_reads tried=%u unchanged=%u blank=%u leaked=%u\n", tried, unchanged, blank, leaked);
}

void raise_foreign_interrupts(EduDevice& edu) {
    // Exceptions, the first and last device vectors, the hypervisor's own; then SMI, NMI, INIT, ExtINT.
    constexpr std::uint16_t messages[] = {0x02, 0x08, 0x0e, 0x20, 0x21, 0x80, 0xdf,  0xe0,
                                          0xee, 0xef, 0xff, 0x200, 0x400, 0x500, 0x700};
    const auto page = own_page();
    unsigned tried = 0;
    for (const std::uint64_t core : {0u, 1u, 0xffu}) {
        for (const std::uint16_t message : messages) {
            const std::uint64_t address = 0xfee00000 | core << 12;
            if (edu.aim_msi(address, message)) edu.raise_interrupt(), ++tried;
        }
    }
    unsigned by_dma = 0;
    constexpr std::uint16_t hypervisors[] = {0xee, 0xef, 0x400};
    for (const std::uint16_t message : hypervisors) {
        if (!page) break;
        std::memcpy(page->bytes.data(), &message, sizeof message);
        by_dma += edu.fetch(page->bus_address, 4) && edu.store(0xfee00000, 4);
    }
    std::printf("CM_HOSTILE interrupts msi=%u dma=%u\n", tried, by_dma);
}

void read_ports() {
    if (iopl(3) != 0) return (void)std::printf("CM_HOSTILE ports refused=1\n");
    unsigned tried = 0, answered = 0;
    for (unsigned port = 0; port < 0x10000; ++port) {
        const bool own = (port & 0xfff8) == 0x3f8 || (port & 0xfff8) == 0xcf8 || (port >= 0x600 && port <= 0x602);
        if (own) continue;
        ++tried;
        answered += inb(static_cast<std::uint16_t>(port)) != 0xff;
    }
    std::printf("CM_HOSTILE ports tried=%u answered=%u\n", tried, answered);
}

void use_msrs() {
    // VM_CR, VM_HSAVE_PA, SMM_BASE, SMM_ADDR, SMM_MASK, TOP_MEM, MMIO configuration base, IA32_MISC_ENABLE, TSC_RATIO
    constexpr std::uint32_t forbidden[] = {0xc0010114, 0xc0010117, 0xc0010111, 0xc0010112, 0xc0010113,
                                           0xc001001a, 0xc0010058, 0x1a0,      0xc0000104};
    const int msr = open("/dev/cpu/0/msr", O_RDWR | O_CLOEXEC);
    unsigned refused = 0, tried = 0;
    for (const std::uint32_t index : forbidden) {
        std::uint64_t value = 0;
        tried += 2;
        refused += pread(msr, &value, sizeof value, index) < 0;
        refused += pwrite(msr, &value, sizeof value, index) < 0;
    }
    std::printf("CM_HOSTILE msrs open=%d tried=%u refused=%u\n", msr >= 0, tried, refused);
    if (msr >= 0) close(msr);
}

void call_hypervisor() {
    unsigned tried = 0, unknown = 0;
    for (std::uint64_t seed = 1; tried < 1000; ++tried) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        std::uint64_t rax = seed, rbx = ~seed, rcx = seed << 7, rdx = seed >> 9, rsi = 0xfee00000;
        // SAFETY: VMMCALL takes and changes registers only.
        asm volatile("vmmcall" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx), "+S"(rsi) : : "memory");
        unknown += static_cast<std::int64_t>(rax) == -1000; // KVM_ENOSYS
    }
    std::printf("CM_HOSTILE hypercalls tried=%u unknown=%u\n", tried, unknown);
}

void touch_tpm() {
    constexpr std::size_t page = 4096;
    constexpr off_t locality_2 = 0xfed42000;
    const int memory = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
    void* const at = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, memory, locality_2);
    std::printf("CM_HOSTILE tpm mapped=%d\n", at != MAP_FAILED);
    std::fflush(stdout);
    if (at == MAP_FAILED) return;
    sleep(1); // the line gets out
    *static_cast<volatile std::uint8_t*>(at) = 2; // TPM_ACCESS: request use
}

} // namespace casemate::hostile
