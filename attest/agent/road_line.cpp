// SPDX-License-Identifier: Apache-2.0
// See road.hpp.
#include "attest/agent/road.hpp"

namespace casemate::agent {

RoadOptions usual_road() { return {.line = "/dev/ttyS1", .verifier = {}, .authority = {}, .patience = {}}; }

Outcome<std::unique_ptr<Transport>> open_road(const RoadOptions& options) {
    if (!options.verifier.empty()) return fail("this agent speaks over a line only");
    return std::unique_ptr<Transport>{std::make_unique<StreamTransport>(TRY(StreamTransport::open(options.line, options.patience)))};
}

} // namespace casemate::agent
