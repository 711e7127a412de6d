// SPDX-License-Identifier: Apache-2.0
// Writers of one SQLite connection that come together share one commit: a commit waits for the disk, all else does not. A turn is
// one writer's transaction: a savepoint inside the transaction that all present writers share; the one after whom nobody waits
// for a turn commits for all of them (docs/adr/0024).
// Invariants: one turn at a time; a turn that is taken back leaves nothing and takes no other with it; commit() returns after the
// commit that has the turn, or throws to everybody whose turn was in it; a turn that was kept for later is committed with or
// before every turn after it. Safe from several threads; called by the SQLite back end only.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "attest/store/sqlite.hpp"

namespace casemate::store {

class WriteGroup {
public:
    explicit WriteGroup(Connection& connection);
    /// Commits what was kept for later. No turn may be under way.
    ~WriteGroup();
    WriteGroup(const WriteGroup&) = delete;
    WriteGroup& operator=(const WriteGroup&) = delete;

    /// Begins this thread's turn. StoreFailure when it does not come within 10 s.
    void begin();
    /// Ends it; returns when it is on the disk, and with it what this thread kept for later.
    void commit();
    /// Ends it at once; settle(), or this thread's next commit(), returns when it is on the disk.
    void commit_later();
    /// Ends it as if it had not been.
    void rollback() noexcept;
    /// Returns when what this thread kept for later is on the disk.
    void settle();

private:
    /// The turns that one commit makes durable.
    struct Batch {
        unsigned turns = 0;
        bool awaited = false; // somebody returns when it is done
        /// Its own lock, so that those who wake up do not stand in the way of the next turn.
        std::mutex mutex;
        std::condition_variable over;
        enum class State { open, committed, lost } state = State::open; // under `mutex`

        [[nodiscard]] State now();
    };
    using BatchPointer = std::shared_ptr<Batch>;
    using Lock = std::unique_lock<std::timed_mutex>;
    struct Kept;

    static constexpr unsigned most_turns = 64; // then it is committed whoever waits
    static constexpr std::chrono::seconds patience{10};

    /// Prepared once: they run several times a request.
    struct Steps {
        Statement begin, commit, savepoint, release;
    };

    [[nodiscard]] Lock take_lock();
    void open_savepoint();
    [[nodiscard]] Lock end_turn();
    [[nodiscard]] BatchPointer keep_turn();
    /// Returns when it is done, without the lock.
    void wait(Lock lock, Batch& batch);
    /// Commits when somebody waits for it and nobody else is about to.
    void flush_if_last();
    void flush();
    void drop();
    /// SQLite ended the shared transaction by itself, as it does when the disk is full: all in it are gone.
    void notice_loss();
    void finish(Batch::State state);
    [[nodiscard]] bool take_kept(BatchPointer& newest);

    Connection& connection_;
    Steps steps_;
    std::timed_mutex mutex_;
    std::atomic<unsigned> arriving_{0}; // threads that wait for their turn
    std::atomic<std::thread::id> holder_{}; // of the turn
    Lock turn_;                         // the holder's
    BatchPointer batch_;                // null: no transaction is open
};

} // namespace casemate::store
