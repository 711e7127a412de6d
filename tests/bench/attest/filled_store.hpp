// SPDX-License-Identifier: Apache-2.0
// A verifier's store as it is after a while: many platforms, each with two grants and a result.
#pragma once

#include <cstddef>
#include <filesystem>

namespace casemate::bench::attest {

/// Makes the service's state directory with a store of so many platforms that nobody plays.
void fill_store(const std::filesystem::path& state, std::size_t platforms);

} // namespace casemate::bench::attest
