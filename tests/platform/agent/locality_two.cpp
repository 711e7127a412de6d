// SPDX-License-Identifier: Apache-2.0
// Implements locality_two.hpp.
#include "tests/platform/agent/locality_two.hpp"

#include <algorithm>
#include <stdexcept>
#include <tss2/tss2_tcti_swtpm.h>

namespace casemate::agent_test {
namespace {

void demand(TSS2_RC code, const char* what) {
    if (code != TSS2_RC_SUCCESS) throw std::runtime_error(std::string{what} + " failed with " + std::to_string(code));
}

} // namespace

LocalityTwo::LocalityTwo(const std::string& swtpm_configuration) {
    std::size_t size = 0;
    demand(Tss2_Tcti_Swtpm_Init(nullptr, &size, nullptr), "size of the transport");
    transport_.resize(size);
    auto* const tcti = reinterpret_cast<TSS2_TCTI_CONTEXT*>(transport_.data());
    demand(Tss2_Tcti_Swtpm_Init(tcti, &size, swtpm_configuration.c_str()), "connect to swtpm");
    demand(Tss2_Tcti_SetLocality(tcti, 2), "locality 2");
    demand(Esys_Initialize(&esys_, tcti, nullptr), "Esys_Initialize");
}

LocalityTwo::~LocalityTwo() {
    auto* const tcti = reinterpret_cast<TSS2_TCTI_CONTEXT*>(transport_.data());
    Esys_Finalize(&esys_);
    Tss2_Tcti_SetLocality(tcti, 0);
    Tss2_Tcti_Finalize(tcti);
}

void LocalityTwo::extend(unsigned pcr, const measure::DigestSet& digests) {
    TPML_DIGEST_VALUES values{};
    for (const measure::Digest& digest : digests) {
        TPMT_HA& entry = values.digests[values.count++];
        entry.hashAlg = static_cast<TPMI_ALG_HASH>(digest.algorithm);
        const ByteView bytes = digest.view();
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<BYTE*>(&entry.digest));
    }
    demand(Esys_PCR_Extend(esys_, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values),
           "TPM2_PCR_Extend");
}

} // namespace casemate::agent_test
