// SPDX-License-Identifier: Apache-2.0
// The two hand-overs of a launch, as plain words in memory:
//   launcher -> SLB          LaunchParams, UNTRUSTED: every field is checked by the SLB before use
//   SLB      -> hypervisor   BootInfo, trusted: made by the SLB in TCB memory from checked values
// Who calls it: dlaunch/efi (writes LaunchParams), dlaunch/slb (checks it, writes BootInfo), hypervisor (reads).
// docs/interfaces/launch.md draws the memory map. Little-endian, natural alignment, sizes asserted below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace casemate::launch {

/// First bytes of the SLB file. The first two words are the processor's [APM2 15.27.3]; the rest is ours and is
/// measured with the SLB. `params_offset` >= `length`: LaunchParams lies behind the measured bytes, inside the
/// 64 KiB that SKINIT protects.
struct SlbHeader {
    std::uint16_t entry;         // offset of the 32-bit entry point
    std::uint16_t length;        // bytes that SKINIT measures
    std::uint32_t magic;         // slb_magic
    std::uint16_t version;       // layout_version
    std::uint16_t params_offset; // where the launcher writes LaunchParams, from the SLB base
};
static_assert(sizeof(SlbHeader) == 12);

inline constexpr std::uint32_t slb_magic = 0x424C5343;          // "CSLB"
inline constexpr std::uint64_t params_magic = 0x534D524150435343; // "CSCPARMS"
inline constexpr std::uint64_t boot_magic = 0x4F464E4954425343;   // "CSBTINFO"
inline constexpr std::uint64_t failure_magic = 0x44454C4941465343; // "CSFAILED"
inline constexpr std::uint16_t layout_version = 1;
inline constexpr std::uint64_t slb_region_size = 64 * 1024;
inline constexpr std::size_t max_images = 16;
inline constexpr std::size_t max_memory_ranges = 128;
inline constexpr std::size_t image_name_size = 32;

struct Extent {
    std::uint64_t base;
    std::uint64_t size;
};

/// One file that the launcher put into memory; `name` is the file's name in the policy, NUL-padded.
struct Image {
    char name[image_name_size];
    Extent bytes;
};

/// The image that is no file: what the firmware measured, as it logged it. UNTRUSTED, carried to the verifier and never looked at on the way.
inline constexpr std::string_view firmware_log_name = "firmware.log";

enum class MemoryKind : std::uint32_t { reserved = 0, usable = 1 };

/// One entry of the firmware's memory map; everything that is not listed is reserved.
struct MemoryRange {
    Extent bytes;
    MemoryKind kind;
    std::uint32_t zero;
};

/// UNTRUSTED: every field.
struct LaunchParams {
    std::uint64_t magic; // params_magic
    std::uint32_t version;
    std::uint32_t size;          // sizeof(LaunchParams)
    Extent tcb;                  // memory for the TCB: 2 MiB aligned, inside one usable range
    Extent hypervisor;           // raw ELF file
    Extent policy;               // raw signed bundle
    std::uint64_t memory_map;    // MemoryRange[memory_range_count], sorted by base, no overlap
    std::uint32_t memory_range_count;
    std::uint32_t image_count;
    std::uint64_t images;        // Image[image_count]
};
static_assert(sizeof(LaunchParams) == 88);

/// What a stopped launch leaves over LaunchParams, for whoever can read memory after it (docs/launch-failures.md).
struct FailureRecord {
    std::uint64_t magic;  // failure_magic
    std::uint32_t code;
    std::uint32_t capped; // 1: PCR 17-22 of every active bank are capped
};
static_assert(sizeof(FailureRecord) == 16);

/// How the code that now runs was started.
enum class LaunchKind : std::uint32_t { unmeasured = 0, skinit = 1, txt = 2 };

struct BootInfo {
    std::uint64_t magic; // boot_magic
    std::uint32_t version;
    std::uint32_t size;             // sizeof(BootInfo)
    LaunchKind kind;
    std::uint32_t tpm_bank_count;   // active PCR banks
    std::uint16_t tpm_banks[8];     // TPM_ALG_ID of each
    Extent tcb;                     // the whole TCB region; all of the following lies inside it
    Extent slb;                     // the 64 KiB SLB region (outside tcb), to be wiped and kept reserved
    Extent hypervisor;              // where the ELF segments lie: virtual link base maps to hypervisor.base
    Extent tcb_free;                // unused rest of the TCB region
    Extent log;                     // TCG event log; log.size is the capacity
    std::uint64_t log_used;         // bytes of the log that hold events
    Extent policy;                  // verified payload of the policy bundle (canonical CBOR)
    std::uint8_t policy_digest[32]; // SHA-256 of the raw signed bundle
    std::uint8_t owner_key[65];     // SEC1 uncompressed P-256 point that signs secrets (policy::OwnerSet::approval_key)
    std::uint8_t zero[7];
    std::uint64_t iommu_base;       // AMD-Vi registers, already denying everything
    Extent device_table;            // 2 MiB, all entries deny
    Extent iommu_commands;          // command ring, power of two, at least 4 KiB
    std::uint64_t launch_tsc;       // TSC at the SLB's first instruction
    std::uint32_t memory_range_count;
    std::uint32_t image_count;
    MemoryRange memory[max_memory_ranges];
    Image images[max_images];       // contents UNTRUSTED until measured
};
static_assert(sizeof(BootInfo) % 8 == 0);

} // namespace casemate::launch
