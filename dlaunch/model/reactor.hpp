// SPDX-License-Identifier: Apache-2.0
// The event loop of one platform: file descriptors and what to do when one is readable or hung up.
// Invariant: a handler may forget any descriptor, its own included, while the loop runs.
// One per Platform; not shared between threads.
#pragma once

#include "dlaunch/model/unique_fd.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>

namespace casemate::model {

using Millis = std::chrono::milliseconds;

class Reactor {
public:
    using Handler = std::function<void()>;

    static Outcome<std::unique_ptr<Reactor>> create();

    /// Calls `handler` whenever `fd` is readable, at its end or in error. The caller keeps `fd` open until forget().
    Status<Error> watch(int fd, Handler handler);
    void forget(int fd);
    /// Waits at most `max_wait` for events and handles what there is.
    void step(Millis max_wait);
    /// Becomes readable when step() has something to do: for callers with a loop of their own.
    [[nodiscard]] int poll_fd() const { return epoll_.get(); }

private:
    explicit Reactor(UniqueFd epoll) : epoll_{std::move(epoll)} {}

    UniqueFd epoll_;
    std::map<int, std::shared_ptr<Handler>> handlers_;
};

} // namespace casemate::model
