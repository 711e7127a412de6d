// SPDX-License-Identifier: Apache-2.0
// A policy payload. What the parser accepts, the encoder must write back byte for byte.
#include "policy/model/payload.hpp"

#include <cstdlib>

using namespace casemate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static policy::Policy parsed;
    const ByteView input{data, size};
    const bool has_epoch = policy::read_epoch(input).ok();
    if (!policy::parse_policy(input, parsed).ok()) return 0;
    static std::uint8_t buffer[64 * 1024];
    if (!has_epoch || !equal(policy::encode_policy(parsed, buffer), input)) std::abort();
    return 0;
}
