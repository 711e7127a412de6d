// SPDX-License-Identifier: Apache-2.0
// See pcr_map.hpp.
#include "dlaunch/measure/pcr_map.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate::measure {

Digest extended(const Digest& old, const Digest& digest) {
    CHECK(old.algorithm == digest.algorithm);
    Hasher hasher{old.algorithm};
    hasher.update(old.view());
    hasher.update(digest.view());
    return hasher.finish();
}

LaunchPcrs::LaunchPcrs(const Banks& banks, std::uint8_t start) : banks_{banks} {
    for (std::size_t i = 0; i < banks_.size(); ++i) {
        for (Digest& pcr : values_[i]) pcr = Digest::filled(banks_[i], start);
    }
}

bool LaunchPcrs::extend(std::uint32_t pcr, const DigestSet& digests) {
    if (!is_launch_pcr(pcr)) return false;
    for (const TPM_ALG_ID bank : banks_) {
        if (digests.find(bank) == nullptr) return false;
    }
    for (std::size_t i = 0; i < banks_.size(); ++i) {
        Digest& value = values_[i][pcr - first_launch_pcr];
        value = extended(value, *digests.find(banks_[i]));
    }
    return true;
}

const Digest& LaunchPcrs::value(TPM_ALG_ID bank, std::uint32_t pcr) const {
    CHECK(is_launch_pcr(pcr));
    std::size_t index = 0;
    while (index < banks_.size() && banks_[index] != bank) ++index;
    CHECK(index < banks_.size());
    return values_[index][pcr - first_launch_pcr];
}

} // namespace casemate::measure
