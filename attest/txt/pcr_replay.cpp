// SPDX-License-Identifier: Apache-2.0
// See pcr_replay.hpp.
#include "attest/txt/pcr_replay.hpp"

#include "hypervisor/base/check.hpp"

namespace casemate::txt {

using measure::Digest;
using measure::TPM_ALG_ID;

PcrReplay::PcrReplay(const measure::Banks& banks, std::uint8_t launch_start) : banks_{banks} {
    for (std::size_t i = 0; i < banks_.size(); ++i)
        for (std::uint32_t pcr = 0; pcr < pcr_count; ++pcr)
            values_[i][pcr] = Digest::filled(banks_[i], measure::is_launch_pcr(pcr) ? launch_start : std::uint8_t{0});
}

std::size_t PcrReplay::index_of(TPM_ALG_ID bank) const {
    std::size_t index = 0;
    while (index < banks_.size() && banks_[index] != bank) ++index;
    CHECK(index < banks_.size());
    return index;
}

const Digest& PcrReplay::value(TPM_ALG_ID bank, std::uint32_t pcr) const {
    CHECK(pcr < pcr_count);
    return values_[index_of(bank)][pcr];
}

void PcrReplay::extend(std::uint32_t pcr, const measure::DigestSet& digests) {
    CHECK(pcr < pcr_count);
    touched_ |= 1U << pcr;
    for (std::size_t i = 0; i < banks_.size(); ++i) {
        const Digest* digest = digests.find(banks_[i]);
        if (digest != nullptr) values_[i][pcr] = measure::extended(values_[i][pcr], *digest);
        else incomplete_[i] |= 1U << pcr;
    }
}

void PcrReplay::apply(const Record& record) {
    if (record.header) return;
    if (is_extended(record)) return extend(record.event.pcr, record.event.digests);
    if (!attest::measures_nothing(record.event)) return;
    const auto locality = attest::startup_locality(record.event); // [TCG-PFP 10.4.5.3]
    if (!locality || *locality == 0xff || (touched_ & 1) != 0) return;
    for (std::size_t i = 0; i < banks_.size(); ++i) values_[i][0].span().back() = *locality;
}

} // namespace casemate::txt
