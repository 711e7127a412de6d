// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/host_processor.hpp"

#include <array>
#include <mutex>
#include <sched.h>
#include <unistd.h>

namespace casemate::model {
namespace {

std::mutex mutex;
std::array<unsigned, CPU_SETSIZE> users{}; // live objects, by processor

cpu_set_t allowed_processors() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) CPU_SET(0, &allowed); // more processors than fit
    return allowed;
}

// The search starts where the process number says, so that processes side by side do not all take the first.
unsigned take_least_used() {
    const cpu_set_t allowed = allowed_processors();
    const std::lock_guard lock{mutex};
    const auto first = static_cast<unsigned>(::getpid());
    unsigned best = CPU_SETSIZE;
    for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
        const unsigned candidate = (first + i) % CPU_SETSIZE;
        if (!CPU_ISSET(candidate, &allowed)) continue;
        if (best == CPU_SETSIZE || users[candidate] < users[best]) best = candidate;
    }
    ++users[best];
    return best;
}

} // namespace

HostProcessor::HostProcessor() : number_{take_least_used()} {}

HostProcessor::~HostProcessor() {
    const std::lock_guard lock{mutex};
    --users[number_];
}

Status<Error> HostProcessor::confine(int thread) const {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(number_, &only);
    if (::sched_setaffinity(thread, sizeof only, &only) != 0)
        return fail_errno("cannot keep thread " + std::to_string(thread) + " on processor " + std::to_string(number_));
    return Done{};
}

} // namespace casemate::model
