// SPDX-License-Identifier: Apache-2.0
// What an enterprise does to a TPM's hierarchies before Casemate comes.
#pragma once

#include "attest/secret/owner_tpm.hpp"
#include "dlaunch/measure/tpm_command.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace casemate::secret_test {

/// TPM2_HierarchyChangeAuth [TPM2-P3 24.8] of one without a password.
inline void set_hierarchy_password(const secret::TpmExchange& ask, std::uint32_t hierarchy, const std::string& password) {
    constexpr auto hierarchy_change_auth = static_cast<measure::TPM_CC>(0x129);
    std::array<std::uint8_t, 128> buffer;
    measure::TpmCommand command{buffer, measure::TPM_ST_SESSIONS, hierarchy_change_auth};
    command.handle_with_password(hierarchy);
    command.sized({reinterpret_cast<const std::uint8_t*>(password.data()), password.size()});
    const secret::Bytes response = ask(command.finish());
    REQUIRE(measure::open_response(response, measure::TPM_ST_SESSIONS).ok());
}

} // namespace casemate::secret_test
