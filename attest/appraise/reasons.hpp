// SPDX-License-Identifier: Apache-2.0
// Reasons of a verdict: the word, the first component that differs, what was expected and what was seen.
// Each word appears once: the first finding of its kind is the one that explains.
#pragma once

#include "attest/appraise/appraisal_error.hpp"
#include "dlaunch/measure/fixed_list.hpp"
#include "hypervisor/base/bytes.hpp"
#include "policy/model/policy.hpp"

namespace casemate::attest {

using measure::FixedList;
using ReasonText = policy::Text<160>;

/// Numbers, digests and texts as the value of a reason; longer ones are cut and end in "...".
[[nodiscard]] ReasonText text_of(std::string_view text);
[[nodiscard]] ReasonText text_of(std::uint64_t number);
[[nodiscard]] ReasonText hex_of(ByteView bytes);

struct Reason {
    AppraisalError error{};
    ReasonText component; // "vm net0", "event 3", ...
    ReasonText expected;  // may be empty
    ReasonText seen;
};

class Reasons {
public:
    void add(AppraisalError error, ReasonText component, ReasonText expected = {}, ReasonText seen = {});
    void add(AppraisalError error, std::string_view component) { add(error, text_of(component)); }
    void clear() { list_.clear(); }
    [[nodiscard]] bool contains(AppraisalError error) const;
    [[nodiscard]] bool empty() const { return list_.empty(); }
    [[nodiscard]] std::size_t size() const { return list_.size(); }
    [[nodiscard]] const Reason* begin() const { return list_.begin(); }
    [[nodiscard]] const Reason* end() const { return list_.end(); }

private:
    // One of each word is all there can be.
    FixedList<Reason, static_cast<std::size_t>(last_appraisal_error) + 1> list_;
};

} // namespace casemate::attest
