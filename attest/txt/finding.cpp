// SPDX-License-Identifier: Apache-2.0
// See finding.hpp.
#include "attest/txt/finding.hpp"

#include <algorithm>

namespace casemate::txt {

namespace {

constexpr std::size_t max_findings = 64; // a broken log has a fault in every record: the first ones explain

} // namespace

void Findings::add(Finding finding) {
    if (all_.size() < max_findings) all_.push_back(std::move(finding));
}

bool Findings::refused() const {
    return std::any_of(all_.begin(), all_.end(), [](const Finding& each) { return each.severity == Severity::refused; });
}

bool Findings::contains(TxtReason reason) const {
    return std::any_of(all_.begin(), all_.end(), [&](const Finding& each) { return each.reason == reason; });
}

} // namespace casemate::txt
