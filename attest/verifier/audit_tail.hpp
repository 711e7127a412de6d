// SPDX-License-Identifier: Apache-2.0
// The newest rows of the audit trail as server-sent events, kept for all streams together: however many there are, the store is asked
// once in a while, by index, without a transaction. Rows that are too old to be kept here are read for the one who is so far behind.
// Any replica sees the rows of all: the trail is in the store. Safe from several threads. Called by event streams only.
#pragma once

#include <deque>
#include <mutex>

#include "attest/verifier/context.hpp"

namespace casemate::verifier {

class AuditTail {
public:
    explicit AuditTail(const Context& context) : context_{context} {}

    struct Piece {
        std::string text;          // events, oldest first; may be empty
        std::int64_t until = 0;    // sequence number of the last of them, or what was asked for
    };
    /// The rows after `after`, as many as fit some 64 KiB. Throws StoreFailure.
    [[nodiscard]] Piece after(std::int64_t after);

    static constexpr std::size_t kept = 1024;

private:
    struct Event {
        std::int64_t sequence = 0;
        std::string text;
    };
    void refresh();
    /// Nothing: the cache does not reach back so far.
    [[nodiscard]] std::optional<Piece> from_cache(std::int64_t after) const;
    [[nodiscard]] std::vector<Event> read(std::int64_t after, int limit) const;

    const Context& context_;
    std::mutex lock_;
    std::deque<Event> events_; // without gaps, up to newest_
    std::int64_t newest_ = 0;
    std::int64_t read_at_ = 0; // milliseconds of the steady clock
};

} // namespace casemate::verifier
