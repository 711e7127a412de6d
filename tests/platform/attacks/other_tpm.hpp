// SPDX-License-Identifier: Apache-2.0
// The TPM of another platform, with an attestation key of the enrolled kind: a software TPM of its own, driven by tpm2-tools.
#pragma once

#include "dlaunch/model/child.hpp"
#include "tests/platform/fixture.hpp"

namespace casemate::platform_test {

class OtherTpm {
public:
    struct Quote {
        std::vector<std::uint8_t> attest;    // TPMS_ATTEST
        std::vector<std::uint8_t> signature; // TPMT_SIGNATURE
    };

    OtherTpm();
    ~OtherTpm();
    [[nodiscard]] bool ready() const { return ready_; }
    /// Of PCR 17-22 in sha256 and sha384; empty when a tool failed. From any one thread at a time.
    [[nodiscard]] Quote quote(const std::string& qualifying_data_hex) const;

private:
    [[nodiscard]] bool tool(std::vector<std::string> command) const;

    Scratch scratch_;
    std::string tcti_;
    std::unique_ptr<model::Reactor> reactor_;
    std::unique_ptr<model::Child> swtpm_;
    bool ready_ = false;
};

} // namespace casemate::platform_test
