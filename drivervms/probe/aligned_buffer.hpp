// SPDX-License-Identifier: Apache-2.0
// Memory aligned as O_DIRECT asks: whole pages.
#pragma once

#include "drivervms/probe/io.hpp"

#include <sys/mman.h>

namespace casemate::probe {

class AlignedBuffer {
public:
    explicit AlignedBuffer(std::size_t size)
        : size_{size}, memory_{::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)} {
        if (memory_ == MAP_FAILED) throw failed("mmap");
    }
    ~AlignedBuffer() { ::munmap(memory_, size_); }
    AlignedBuffer(const AlignedBuffer&) = delete;
    AlignedBuffer& operator=(const AlignedBuffer&) = delete;
    [[nodiscard]] ByteSpan bytes() { return {static_cast<std::uint8_t*>(memory_), size_}; }

private:
    std::size_t size_;
    void* memory_;
};

} // namespace casemate::probe
