// SPDX-License-Identifier: Apache-2.0
// See watch.hpp.
#include "attest/verifier/watch.hpp"

#include <algorithm>

#include "attest/verifier/log.hpp"

namespace casemate::verifier {
namespace {

constexpr int part = 500; // platforms or grants of one query

double seconds(Millis from, Millis to) { return static_cast<double>(std::max<Millis>(0, to - from)) / 1000; }

/// The oldest first; of equal ages by id, so that two looks show the same.
void keep_oldest(std::vector<FleetPicture::Age>& ages, std::size_t limit) {
    std::sort(ages.begin(), ages.end(), [](const auto& a, const auto& b) {
        return a.seconds != b.seconds ? a.seconds > b.seconds : a.platform_id < b.platform_id;
    });
    if (ages.size() > limit) ages.resize(limit);
}

void count_leases(store::Store& store, Millis now, FleetPicture& picture) {
    for (std::int64_t after = 0;;) {
        const store::LeaseCount count = store.count_leases(after, part, now);
        if (count.next == 0) return;
        picture.leases_live += count.live;
        picture.leases_expiring += count.expiring;
        after = count.next;
    }
}

} // namespace

void Watch::look() const {
    FleetPicture picture;
    const Millis now = context_.now();
    for (std::string after;;) {
        const std::vector<store::Presence> presences = context_.store.presences(after, part);
        if (presences.empty()) break;
        for (const store::Presence& presence : presences) see(presence, picture, now);
        keep_oldest(picture.ages, context_.settings.shown_ages);
        after = presences.back().id;
    }
    count_leases(context_.store, now, picture);
    context_.metrics->fleet(picture);
    context_.metrics->audit_head(context_.store.audit_head().sequence);
}

void Watch::see(const store::Presence& presence, FleetPicture& picture, Millis now) const {
    if (presence.state == "quarantined") ++picture.quarantined;
    if (presence.state == "retired") ++picture.retired;
    if (presence.state != "active") return;
    ++picture.active;
    if (presence.last_attested_at == 0) ++picture.never_attested;
    else picture.ages.push_back({presence.id, seconds(presence.last_attested_at, now)});
    const Millis patience = context_.settings.silent_after;
    const bool overdue = patience != 0 && now - presence.last_seen() > patience;
    if (presence.silent_since != 0 || (overdue && raise_alarm(presence, now))) ++picture.silent;
}

/// True when the platform is silent: whoever raised the alarm.
bool Watch::raise_alarm(const store::Presence& seen, Millis now) const {
    const auto unit = context_.store.begin();
    context_.store.hold_platform(seen.id);
    if (!context_.store.mark_silent(seen, now)) {
        const auto newer = context_.store.platform(seen.id);
        return newer && newer->silent_since != 0;
    }
    const std::string since = seen.last_attested_at == 0 ? "never attested" : "last attested " + std::to_string(seen.last_attested_at);
    context_.audit("verifier", "silent", seen.id, "raised", since);
    unit->commit();
    context_.metrics->alarm_raised();
    log(LogLevel::warning, "silent", {{"platform", seen.id}, {"last_attested_at", seen.last_attested_at},
                                      {"enrolled_at", seen.enrolled_at}});
    return true;
}

WatchThread::WatchThread(const Watch& watch, std::chrono::milliseconds interval)
    : watch_{watch}, thread_{[this, interval] { run(interval); }} {}

WatchThread::~WatchThread() {
    {
        const std::lock_guard guard{lock_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void WatchThread::run(std::chrono::milliseconds interval) {
    std::unique_lock guard{lock_};
    while (!stopping_) {
        guard.unlock();
        try {
            watch_.look();
        } catch (const std::exception& failure) {
            log(LogLevel::error, "watch_failed", {{"what", failure.what()}});
        }
        guard.lock();
        changed_.wait_for(guard, interval, [this] { return stopping_; });
    }
}

} // namespace casemate::verifier
