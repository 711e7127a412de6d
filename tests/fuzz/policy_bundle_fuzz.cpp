// SPDX-License-Identifier: Apache-2.0
// A policy bundle as the SLB takes it, without the signature's protection: open, verify, parse.
#include "policy/model/bundle.hpp"
#include "policy/model/payload.hpp"

#include <cstdlib>

using namespace casemate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bundle = policy::open_bundle({data, size});
    if (!bundle.ok()) return 0;
    const policy::OwnerSet& owners = bundle.value().owners;
    if (owners.threshold() < 1 || owners.threshold() > owners.count() || owners.count() > policy::max_owners) std::abort();
    if (bundle.value().message.count > owners.threshold()) std::abort();
    (void)policy::verify_bundle(bundle.value()).ok();
    static policy::Policy parsed;
    (void)policy::parse_policy(bundle.value().payload(), parsed).ok();
    return 0;
}
