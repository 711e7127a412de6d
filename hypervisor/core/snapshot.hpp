// SPDX-License-Identifier: Apache-2.0
// A driver VM as it was when it asked for that: its kernel has booted, its device is untouched. A restart may go on from there.
//
//   NONE --begin()--> SAVING --> HASHING --> TAKEN        abandon(), the VM has stopped: SAVING --> NONE
//
// Invariant: from HASHING on nothing here ever changes; it lies in the hypervisor's own memory, and the digest is of
// all that the guest itself keeps (not of its virtual devices' state). Only the VM's core calls it, but for stage() and digest().
#pragma once

#include "dlaunch/measure/crypto.hpp"
#include "hypervisor/core/vcpu.hpp"
#include "hypervisor/devices/platform.hpp"
#include "hypervisor/mm/ram_copy.hpp"

#include <atomic>
#include <optional>

namespace casemate::core {

class Snapshot {
public:
    enum class Stage : std::uint8_t { none, saving, hashing, taken };

    /// `ram` of the VM; the copy has its size.
    Snapshot(ByteSpan ram, const mm::RamCopy& copy) : ram_{ram}, copy_{copy} {}

    // ORDER: acquire, with the release in set_stage(): who sees TAKEN sees the digest.
    [[nodiscard]] Stage stage() const { return stage_.load(std::memory_order_acquire); }
    /// SHA-256 of VMCB, general registers, FPU image, and of each page that is not zero its number (u64) and its bytes. When taken.
    [[nodiscard]] const measure::Sha256Digest& digest() const { return digest_; }

    /// The VM runs no instruction until SAVING is over. NONE only.
    void begin(Vcpu& vcpu, const devices::Platform& platform);
    void abandon();
    /// A step of SAVING or of HASHING, some milliseconds at most. True when that stage is over.
    bool step();
    /// When taken: a step of putting the RAM back; true when all is as it was.
    [[nodiscard]] bool restore_step();
    /// After that: the processor and the virtual devices. Time goes on for the guest as if there had been none in between.
    void resume(Vcpu& vcpu, devices::Platform& platform) const;

private:
    void set_stage(Stage stage) { stage_.store(stage, std::memory_order_release); }
    void hash_processor();
    void hash_page(std::uint64_t page);
    void finish();

    ByteSpan ram_;
    mm::RamCopy copy_;
    std::atomic<Stage> stage_{Stage::none};
    std::uint64_t next_page_ = 0;
    VcpuImage vcpu_{};
    std::optional<devices::PlatformImage> platform_;
    std::optional<measure::Hasher> hasher_;
    measure::Sha256Digest digest_{};
};

} // namespace casemate::core
