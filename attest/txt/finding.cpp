// SPDX-License-Identifier: Apache-2.0
// See finding.hpp.
#include "attest/txt/finding.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

constexpr std::size_t max_remarks = 64, max_refusals = 64; // a broken log has a fault in every record: the first ones explain

} // namespace

/// Remarks, however many, never keep a refusal out.
void Findings::add(Finding finding) {
    std::size_t& count = finding.severity == Severity::refused ? refusals_ : remarks_;
    if (count < (finding.severity == Severity::refused ? max_refusals : max_remarks)) {
        all_.push_back(std::move(finding));
        ++count;
    }
}

bool Findings::refused() const { return refusals_ != 0; }

bool Findings::contains(TxtReason reason) const {
    return std::any_of(all_.begin(), all_.end(), [&](const Finding& each) { return each.reason == reason; });
}

} // namespace casemate::txt
