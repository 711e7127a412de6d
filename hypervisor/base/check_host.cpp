// SPDX-License-Identifier: Apache-2.0
// A violated contract on the host: say where and abort, so that sanitizers and fuzzers see it.
#include "hypervisor/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace casemate {

void contract_violated(const char* what, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: contract violated: %s\n", file, line, what);
    std::abort();
}

} // namespace casemate
