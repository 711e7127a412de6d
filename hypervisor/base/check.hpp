// SPDX-License-Identifier: Apache-2.0
// CHECK: a violated contract of our own code. It stops the machine (freestanding) or the process (host).
// Input from outside the TCB must never be able to reach one: such input gets an error (result.hpp).
#pragma once

namespace casemate {

/// Defined once per program: the SLB and the hypervisor log and stop, host programs abort.
[[noreturn]] void contract_violated(const char* what, const char* file, int line);

} // namespace casemate

#define CHECK(condition)                                                                                     \
    (static_cast<bool>(condition) ? void(0) : ::casemate::contract_violated(#condition, __FILE_NAME__, __LINE__))
