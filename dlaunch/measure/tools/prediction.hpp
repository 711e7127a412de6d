// SPDX-License-Identifier: Apache-2.0
// From the files that will be launched to the reference values of that launch (reference.json, docs/interfaces/policy.md).
// The arithmetic is dlaunch/measure's, the same that the verifier replays with. Host only; called by casemate-predict.
#pragma once

#include "hypervisor/base/bytes.hpp"
#include "hypervisor/base/result.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace casemate::predict {

using Bytes = std::vector<std::uint8_t>;

/// A whole sentence for the user.
using Problem = std::string;

struct Inputs {
    Bytes slb;        // slb.bin; what is measured is as long as its header says
    Bytes hypervisor; // raw ELF
    Bytes policy;     // raw signed bundle
    /// SHA-256 of the image file with this name in the policy.
    std::function<Result<std::array<std::uint8_t, 32>, Problem>(std::string_view name)> image_digest;
};

/// reference.json; in the order of the interface document.
[[nodiscard]] Result<nlohmann::ordered_json, Problem> predict(const Inputs& inputs);

} // namespace casemate::predict
