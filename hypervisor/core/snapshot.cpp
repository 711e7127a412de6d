// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/core/snapshot.hpp"

#include "hypervisor/arch/clock.hpp"
#include "hypervisor/core/page_steps.hpp"

#include <cstring>

namespace casemate::core {

void Snapshot::begin(Vcpu& vcpu, const devices::Platform& platform) {
    vcpu.save(vcpu_);
    vcpu_.tsc = arch::read_tsc();
    platform_.emplace(platform.save());
    next_page_ = 0;
    set_stage(Stage::saving);
}

void Snapshot::abandon() {
    if (stage() == Stage::saving) set_stage(Stage::none);
}

bool Snapshot::step() {
    if (stage() == Stage::saving) {
        if (!step_pages(next_page_, copy_.page_count(), [&](std::uint64_t page) { copy_.save(page, ram_); }))
            return false;
        hasher_.emplace(measure::TPM_ALG_ID::SHA256);
        hash_processor();
        set_stage(Stage::hashing);
        return true;
    }
    if (!step_pages(next_page_, copy_.page_count(), [&](std::uint64_t page) { hash_page(page); })) return false;
    finish();
    return true;
}

void Snapshot::hash_processor() {
    const auto bytes = [](const auto& of) { return ByteView{reinterpret_cast<const std::uint8_t*>(&of), sizeof of}; };
    hasher_->update(bytes(vcpu_.vmcb));
    hasher_->update(bytes(vcpu_.registers));
    hasher_->update(vcpu_.fpu);
}

void Snapshot::hash_page(std::uint64_t page) {
    const ByteView bytes = copy_.kept(page);
    if (bytes.empty()) return;
    hasher_->update({reinterpret_cast<const std::uint8_t*>(&page), sizeof page});
    hasher_->update(bytes);
}

void Snapshot::finish() {
    const measure::Digest digest = hasher_->finish();
    std::memcpy(digest_.data(), digest.storage.data(), digest_.size());
    set_stage(Stage::taken);
}

bool Snapshot::restore_step() {
    return step_pages(next_page_, copy_.page_count(), [&](std::uint64_t page) { copy_.restore(page, ram_); });
}

void Snapshot::resume(Vcpu& vcpu, devices::Platform& platform) const {
    vcpu.restore(vcpu_, vcpu_.tsc - arch::read_tsc());
    platform.restore(*platform_);
}

} // namespace casemate::core
