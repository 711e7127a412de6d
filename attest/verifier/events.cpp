// SPDX-License-Identifier: Apache-2.0
// See events.hpp.
#include "attest/verifier/events.hpp"

#include <charconv>
#include <chrono>

#include "attest/verifier/log.hpp"

namespace casemate::verifier {
namespace {

using Clock = std::chrono::steady_clock;

/// Zero, or a number without leading zeros that fits 64 bits; nothing: it is no id of ours.
std::optional<std::int64_t> sequence_of(const std::string& id) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc{} || number < 0 || std::to_string(number) != id) return std::nullopt;
    return number;
}

} // namespace

class Events::Place {
public:
    Place(const Events& events, std::string name) : events_{events}, name_{std::move(name)} {
        ++events_.open_;
        own_ = events_.of_principal_.enter(name_, events_.context_.settings.max_own_streams);
    }
    ~Place() {
        if (own_) events_.of_principal_.leave(name_);
        --events_.open_;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    [[nodiscard]] bool granted() const { return own_ && events_.open_ <= events_.context_.settings.max_streams; }

private:
    const Events& events_;
    const std::string name_;
    bool own_ = false;
};

class Events::Stream final : public HttpStream {
public:
    Stream(const Events& events, std::unique_ptr<Place> place, std::int64_t after, std::function<bool()> allowed)
        : events_{events}, place_{std::move(place)}, allowed_{std::move(allowed)}, after_{after} {}

    std::optional<std::string> next() override {
        try {
            return begun_ ? more() : beginning();
        } catch (const std::exception& failure) {
            log(LogLevel::error, "event_stream", {{"what", failure.what()}});
            return std::nullopt;
        }
    }

private:
    /// The id comes first, so that a client that loses the connection before any event knows where it was.
    std::string beginning() {
        begun_ = true;
        return "retry: 2000\nid: " + std::to_string(after_) + "\nevent: begin\ndata: {\"sequence\":" + std::to_string(after_) + "}\n\n";
    }

    std::optional<std::string> more() {
        const bool heartbeat = Clock::now() - checked_at_ >= std::chrono::milliseconds{events_.context_.settings.heartbeat};
        if (heartbeat) {
            if (!allowed_()) return std::nullopt;
            checked_at_ = Clock::now();
        }
        AuditTail::Piece piece = events_.tail_.after(after_);
        after_ = piece.until;
        if (piece.text.empty() && heartbeat) return ": alive\n\n";
        return std::move(piece.text);
    }

    const Events& events_;
    const std::unique_ptr<Place> place_;
    const std::function<bool()> allowed_;
    std::int64_t after_;
    bool begun_ = false;
    Clock::time_point checked_at_ = Clock::now();
};

StreamAnswer Events::open(const Principal& principal, const std::string& last_event_id, std::function<bool()> allowed) const {
    const std::int64_t newest = context_.store.audit_head().sequence;
    std::int64_t after = newest;
    if (!last_event_id.empty()) {
        const std::optional<std::int64_t> known = sequence_of(last_event_id);
        if (!known) return refuse(400, "last_event_id", "Last-Event-ID must be the id of an event");
        if (*known > newest) return refuse(409, "last_event_id", "the audit trail does not reach this event: begin without Last-Event-ID");
        after = *known;
    }
    auto place = std::make_unique<Place>(*this, principal.name);
    if (!place->granted()) return refuse(429, "streams", "too many event streams are open: close one");
    return std::shared_ptr<HttpStream>{std::make_shared<Stream>(*this, std::move(place), after, std::move(allowed))};
}

} // namespace casemate::verifier
