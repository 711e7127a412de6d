// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/reactor.hpp"

#include <sys/epoll.h>

namespace casemate::model {

Outcome<std::unique_ptr<Reactor>> Reactor::create() {
    UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
    if (!epoll.valid()) return fail_errno("no epoll");
    return std::unique_ptr<Reactor>{new Reactor{std::move(epoll)}};
}

Status<Error> Reactor::watch(int fd, Handler handler) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno("cannot watch a descriptor");
    handlers_[fd] = std::make_shared<Handler>(std::move(handler));
    return Done{};
}

void Reactor::forget(int fd) {
    if (handlers_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Reactor::step(Millis max_wait) {
    epoll_event events[16];
    const int count = ::epoll_wait(epoll_.get(), events, 16, static_cast<int>(max_wait.count()));
    for (int i = 0; i < count; ++i) {
        const auto found = handlers_.find(events[i].data.fd);
        if (found == handlers_.end()) continue; // forgotten by an earlier handler of this round
        const auto handler = found->second;     // keeps it alive if it forgets itself
        (*handler)();
    }
}

} // namespace casemate::model
