// SPDX-License-Identifier: Apache-2.0
// See audit_tail.hpp.
#include "attest/verifier/audit_tail.hpp"

#include <algorithm>
#include <chrono>

#include "attest/verifier/trail.hpp"

namespace casemate::verifier {
namespace {

constexpr std::size_t max_piece = 64 * 1024;
constexpr int batch = 256;
constexpr std::int64_t least_age = 100; // milliseconds from one look at the store to the next

std::int64_t steady_now() {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count();
}

template <typename Events, typename Iterator = typename Events::const_iterator>
AuditTail::Piece joined(Iterator from, Iterator to, std::int64_t after) {
    AuditTail::Piece piece{{}, after};
    for (; from != to && (piece.text.empty() || piece.text.size() + from->text.size() <= max_piece); ++from) {
        piece.text += from->text;
        piece.until = from->sequence;
    }
    return piece;
}

} // namespace

AuditTail::Piece AuditTail::after(std::int64_t after) {
    {
        const std::unique_lock guard{lock_, std::try_to_lock};
        if (!guard) return {{}, after}; // somebody looks already
        if (steady_now() - read_at_ >= least_age) refresh();
        if (after >= newest_) return {{}, after};
        if (std::optional<Piece> piece = from_cache(after)) return std::move(*piece);
    }
    const std::vector<Event> events = read(after, batch);
    return joined<std::vector<Event>>(events.begin(), events.end(), after);
}

/// From the newest rows on when nobody looked for long; from the beginning when the store was replaced by an older one.
void AuditTail::refresh() {
    const std::int64_t head = context_.store.audit_head().sequence;
    if (head < newest_ || head - newest_ > static_cast<std::int64_t>(kept)) {
        events_.clear();
        newest_ = std::max<std::int64_t>(0, head - static_cast<std::int64_t>(kept));
    }
    if (head > newest_)
        for (Event& event : read(newest_, static_cast<int>(kept))) {
            newest_ = event.sequence;
            events_.push_back(std::move(event));
        }
    while (events_.size() > kept) events_.pop_front();
    read_at_ = steady_now();
}

std::optional<AuditTail::Piece> AuditTail::from_cache(std::int64_t after) const {
    if (events_.empty() || events_.front().sequence > after + 1) return std::nullopt;
    return joined<std::deque<Event>>(events_.begin() + (after + 1 - events_.front().sequence), events_.end(), after);
}

std::vector<AuditTail::Event> AuditTail::read(std::int64_t after, int limit) const {
    std::vector<Event> events;
    for (const audit::ChainedRow& row : context_.store.audit_trail(after, limit))
        events.push_back({row.sequence, "id: " + std::to_string(row.sequence) + "\nevent: audit\ndata: " +
                                            to_json(row).dump(-1, ' ', true, Json::error_handler_t::replace) + "\n\n"});
    return events;
}

} // namespace casemate::verifier
