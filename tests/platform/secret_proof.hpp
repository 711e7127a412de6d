// SPDX-License-Identifier: Apache-2.0
// How a driver VM that waits for its secrets proves on its console that it has one: by its check value, never by itself
// (drivervms/probe/secret.hpp).
#pragma once

#include "drivervms/probe/digest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace casemate::platform_test {

inline std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// What the VM that has it says on its console.
inline std::string proof_of(const std::string& name, const std::string& secret) {
    probe::Digest digest;
    digest.update(bytes_of("casemate check" + secret));
    return "CM_PROOF secret name=" + name + " bytes=" + std::to_string(secret.size()) + " check=" + digest.hex().substr(0, 6);
}

} // namespace casemate::platform_test
