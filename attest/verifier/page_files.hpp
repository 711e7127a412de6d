// SPDX-License-Identifier: Apache-2.0
// The table that the build makes of attest/verifier/page (embed.cmake). Included by page.cpp and by what the build makes.
#pragma once

#include <span>

#include "attest/verifier/page.hpp"

namespace casemate::verifier {

[[nodiscard]] std::span<const PageFile> page_files();

} // namespace casemate::verifier
