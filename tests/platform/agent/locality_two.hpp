// SPDX-License-Identifier: Apache-2.0
// The TPM as SLB and hypervisor reach it: PCR extends at locality 2, of a software TPM.
// The software TPM serves one client at a time: close this before the agent connects.
#pragma once

#include "dlaunch/measure/digest.hpp"

#include <string>
#include <tss2/tss2_esys.h>
#include <vector>

namespace casemate::agent_test {

class LocalityTwo {
public:
    explicit LocalityTwo(const std::string& swtpm_configuration);
    ~LocalityTwo();
    LocalityTwo(const LocalityTwo&) = delete;
    LocalityTwo& operator=(const LocalityTwo&) = delete;
    void extend(unsigned pcr, const measure::DigestSet& digests);

private:
    std::vector<std::uint8_t> transport_;
    ESYS_CONTEXT* esys_ = nullptr;
};

} // namespace casemate::agent_test
