// SPDX-License-Identifier: Apache-2.0
// The parsers of the signed structures: no crash, and exact length (one byte more is never accepted too).
#include "attest/evidence/tpm_structures.hpp"

#include <cstdlib>
#include <vector>

using namespace casemate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::uint8_t> longer(data, data + size);
    longer.push_back(0);
    if (attest::parse_quote({data, size}).ok() && attest::parse_quote(longer).ok()) std::abort();
    if (attest::parse_signature({data, size}).ok() && attest::parse_signature(longer).ok()) std::abort();
    return 0;
}
