// SPDX-License-Identifier: Apache-2.0
// The chain of trust of one platform, link by link, as its newest evidence proves it: quote, log, launch, hypervisor, policy, VMs, custody;
// with the VMs, the devices and the sentence that explains the verdict. For people and pages; decides nothing.
// The evidence is judged again by what it was judged by then (judgement.hpp), so the picture is that of the stored verdict.
// Called by GET /v1/platforms/{platform}/chain.
#pragma once

#include "attest/verifier/judgement.hpp"

namespace casemate::verifier {

class Chain {
public:
    Chain(const Context& context, const ReferenceLibrary& references) : context_{context}, references_{references} {}

    [[nodiscard]] Answer of(const std::string& platform_id) const;

private:
    [[nodiscard]] Status<ApiError> add_evidence(const store::AppraisalRecord& record, Json& answer) const;

    const Context& context_;
    const ReferenceLibrary& references_;
};

} // namespace casemate::verifier
