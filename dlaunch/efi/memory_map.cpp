// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/efi/memory_map.hpp"

#include "hypervisor/base/address.hpp"

#include <algorithm>

namespace casemate::efi {

namespace {

// EFI_MEMORY_TYPE [UEFI table 7.5]: LoaderCode, LoaderData, BootServicesCode, BootServicesData; Conventional.
constexpr std::uint32_t loader_code = 1, boot_services_data = 4, conventional = 7;
constexpr std::size_t descriptor_fields = 32; // Type, padding, PhysicalStart, VirtualStart, NumberOfPages
constexpr std::uint64_t highest_memory = 512ull << 30; // what the SLB maps

constexpr bool usable(std::uint32_t type) {
    return (type >= loader_code && type <= boot_services_data) || type == conventional;
}

launch::Extent read_extent(LittleEndianReader& in) {
    in.u32(); // padding
    const std::uint64_t base = in.u64();
    in.u64(); // VirtualStart
    const std::uint64_t pages = in.u64();
    if (base >= highest_memory) return {};
    return {base, std::min(pages, (highest_memory - base) / page_size) * page_size};
}

/// A sorted list in which no two neighbours touch.
class Ranges {
public:
    explicit Ranges(std::span<launch::MemoryRange> out) : out_{out} {}

    [[nodiscard]] bool insert(launch::Extent extent) {
        std::size_t at = count_;
        while (at > 0 && out_[at - 1].bytes.base > extent.base) --at;
        if (at > 0 && end(at - 1) == extent.base) {
            out_[at - 1].bytes.size += extent.size;
            if (at < count_ && end(at - 1) == out_[at].bytes.base) join(at);
            return true;
        }
        if (at < count_ && extent.base + extent.size == out_[at].bytes.base) {
            out_[at].bytes = {extent.base, extent.size + out_[at].bytes.size};
            return true;
        }
        return insert_between(at, extent);
    }
    [[nodiscard]] std::span<launch::MemoryRange> list() const { return out_.first(count_); }

private:
    [[nodiscard]] std::uint64_t end(std::size_t i) const { return out_[i].bytes.base + out_[i].bytes.size; }

    bool insert_between(std::size_t at, launch::Extent extent) {
        if (count_ == out_.size()) return false;
        for (std::size_t i = count_; i > at; --i) out_[i] = out_[i - 1];
        out_[at] = {extent, launch::MemoryKind::usable, 0};
        ++count_;
        return true;
    }
    /// Joins entry `at` to the one before it.
    void join(std::size_t at) {
        out_[at - 1].bytes.size += out_[at].bytes.size;
        --count_;
        for (std::size_t i = at; i < count_; ++i) out_[i] = out_[i + 1];
    }

    std::span<launch::MemoryRange> out_;
    std::size_t count_ = 0;
};

} // namespace

Result<std::span<launch::MemoryRange>, MapError> convert_memory_map(ByteView map, std::size_t descriptor_size,
                                                                    std::span<launch::MemoryRange> out) {
    if (descriptor_size < descriptor_fields || map.size() % descriptor_size != 0)
        return Failure{MapError::descriptor_size};
    Ranges ranges{out};
    for (; !map.empty(); map = map.subspan(descriptor_size)) {
        LittleEndianReader in{map.first(descriptor_size)};
        if (!usable(in.u32())) continue;
        const launch::Extent extent = read_extent(in);
        if (extent.size != 0 && !ranges.insert(extent)) return Failure{MapError::too_many};
    }
    return ranges.list();
}

} // namespace casemate::efi
