// SPDX-License-Identifier: Apache-2.0
// Looks over the fleet again and again: raises the alarm for platforms that have been silent too long, and takes the picture that
// the metrics show. A part of the fleet at a time, so that a large one delays no request. Any number of replicas may watch one
// store: each silence gets one alarm (one audit row, one line in one log), over restarts too. An alarm ends with the next
// affirming verdict (attestation.cpp). Called by a thread of casemate-verifierd, and by tests directly.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "attest/verifier/context.hpp"

namespace casemate::verifier {

class Watch {
public:
    explicit Watch(const Context& context) : context_{context} {}

    /// Once over everything. Throws what the store throws.
    void look() const;

private:
    void see(const store::Presence& presence, FleetPicture& picture, Millis now) const;
    [[nodiscard]] bool raise_alarm(const store::Presence& seen, Millis now) const;

    const Context& context_;
};

/// A thread that looks now and then until it is destroyed. A store that fails costs a look, not the thread.
class WatchThread {
public:
    WatchThread(const Watch& watch, std::chrono::milliseconds interval);
    ~WatchThread();
    WatchThread(const WatchThread&) = delete;
    WatchThread& operator=(const WatchThread&) = delete;

private:
    void run(std::chrono::milliseconds interval);

    const Watch& watch_;
    std::mutex lock_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace casemate::verifier
