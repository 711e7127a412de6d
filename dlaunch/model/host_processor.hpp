// SPDX-License-Identifier: Apache-2.0
// One of the host processors that this process may use, for the vCPU threads of one emulated machine (docs/adr/0009).
#pragma once

#include "dlaunch/model/error.hpp"

namespace casemate::model {

/// Which one is chosen at construction: one that no other live object of this process has, as long as there are such.
class HostProcessor {
public:
    HostProcessor();
    ~HostProcessor();
    HostProcessor(const HostProcessor&) = delete;
    HostProcessor& operator=(const HostProcessor&) = delete;

    [[nodiscard]] unsigned number() const { return number_; }
    /// From now on the thread (gettid(2)), of any process of ours, runs here and nowhere else.
    [[nodiscard]] Status<Error> confine(int thread) const;

private:
    unsigned number_;
};

} // namespace casemate::model
