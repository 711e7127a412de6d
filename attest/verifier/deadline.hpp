// SPDX-License-Identifier: Apache-2.0
// When a connection is closed unless something is done before. Moving the time is one store: a timer waits all along and looks when it
// wakes whether the time has come or was moved, instead of a timer that is set and taken back for each operation.
// Used on the strand of the connection only; the owner, which has the deadline and the socket, may go at any time.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>

namespace casemate::verifier {

template <typename Socket>
class Deadline {
public:
    using Clock = std::chrono::steady_clock;

    explicit Deadline(Socket& socket) : socket_{socket}, timer_{socket.get_executor()} {}

    /// Once, before all else: who keeps socket and deadline.
    void belongs_to(std::weak_ptr<void> owner) { owner_ = std::move(owner); }
    /// From now on.
    void after(Clock::duration time) {
        at_ = Clock::now() + time;
        if (!waiting_) wait();
    }
    void never() { at_ = Clock::time_point::max(); }
    /// And nothing is to wait any more, for who runs until nothing does.
    void stop() {
        never();
        timer_.cancel();
    }

private:
    void wait() {
        waiting_ = true;
        timer_.expires_at(at_);
        timer_.async_wait([this, owner = owner_](boost::system::error_code) {
            const std::shared_ptr<void> alive = owner.lock();
            if (!alive) return; // and so is this
            waiting_ = false;
            if (at_ == Clock::time_point::max()) return;
            if (Clock::now() < at_) return wait();
            boost::system::error_code ignored;
            socket_.close(ignored); // ends what is pending
        });
    }

    using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, typename Socket::executor_type>;

    Socket& socket_;
    Timer timer_;
    std::weak_ptr<void> owner_;
    Clock::time_point at_ = Clock::time_point::max();
    bool waiting_ = false;
};

} // namespace casemate::verifier
