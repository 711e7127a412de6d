// SPDX-License-Identifier: Apache-2.0
// See misbehaviour.hpp.
#include "tests/fleet/misbehaviour.hpp"

namespace casemate::fleet {

std::vector<Misbehaviour> misbehaviours() {
    std::vector<Misbehaviour> all;
    for (const auto part : {enrolment_misbehaviours(), quote_misbehaviours(), log_misbehaviours(), request_misbehaviours()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

} // namespace casemate::fleet
