// SPDX-License-Identifier: Apache-2.0
// See write_group.hpp.
#include "attest/store/write_group.hpp"

#include <utility>
#include <vector>

#include <sqlite3.h>

namespace casemate::store {

/// What the calling thread kept for later and does not know to be on the disk.
struct WriteGroup::Kept {
    const WriteGroup* group = nullptr;
    BatchPointer batch;

    static std::vector<Kept>& of_this_thread() {
        thread_local std::vector<Kept> all;
        return all;
    }
};

namespace {

void run(Statement& statement) {
    statement.restart(); // it may have failed before
    statement.run();
    statement.restart(); // a COMMIT that is not reset is still under way
}

} // namespace

WriteGroup::WriteGroup(Connection& connection)
    : connection_{connection},
      steps_{{connection, "BEGIN IMMEDIATE"}, {connection, "COMMIT"}, {connection, "SAVEPOINT turn"}, {connection, "RELEASE turn"}} {}

WriteGroup::~WriteGroup() {
    if (batch_) flush();
}

WriteGroup::Lock WriteGroup::take_lock() {
    ++arriving_;
    Lock lock{mutex_, std::defer_lock};
    const bool taken = lock.try_lock_for(patience);
    --arriving_;
    if (!taken) throw StoreFailure("store: the database was busy for 10 s");
    return lock;
}

void WriteGroup::begin() {
    Lock lock = take_lock();
    turn_ = std::move(lock);
    holder_ = std::this_thread::get_id();
    try {
        open_savepoint();
    } catch (...) {
        flush_if_last(); // who waits for this turn to commit must not wait for ever
        const Lock end = end_turn();
        throw;
    }
}

WriteGroup::Lock WriteGroup::end_turn() {
    holder_ = std::thread::id{};
    return std::move(turn_);
}

void WriteGroup::open_savepoint() {
    notice_loss();
    if (!batch_) {
        run(steps_.begin);
        batch_ = std::make_shared<Batch>();
    }
    run(steps_.savepoint);
}

WriteGroup::BatchPointer WriteGroup::keep_turn() {
    notice_loss();
    if (!batch_) throw StoreFailure("store: the transaction was lost");
    run(steps_.release);
    ++batch_->turns;
    return batch_;
}

void WriteGroup::commit() {
    const BatchPointer batch = keep_turn(); // when it throws the turn goes on, to be taken back
    wait(end_turn(), *batch);
    BatchPointer newest;
    const bool lost = take_kept(newest); // they were in this batch or an earlier one
    if (batch->now() == Batch::State::lost || lost) throw StoreFailure("store: the commit failed");
}

void WriteGroup::commit_later() {
    const BatchPointer batch = keep_turn();
    std::vector<Kept>& kept = Kept::of_this_thread();
    std::erase_if(kept, [](const Kept& one) { return one.batch->now() == Batch::State::committed; });
    kept.push_back({this, batch});
    flush_if_last();
    const Lock end = end_turn();
}

void WriteGroup::rollback() noexcept {
    if (holder_ != std::this_thread::get_id()) return;
    notice_loss();
    if (batch_) sqlite3_exec(connection_.handle(), "ROLLBACK TO turn; RELEASE turn", nullptr, nullptr, nullptr);
    flush_if_last();
    const Lock end = end_turn();
}

void WriteGroup::settle() {
    BatchPointer newest;
    const bool lost = take_kept(newest);
    if (newest && newest->now() == Batch::State::open) wait(take_lock(), *newest);
    if (lost || (newest && newest->now() == Batch::State::lost)) throw StoreFailure("store: the commit failed");
}

/// True when a commit that had one of this thread's turns failed; `newest` is the last that is perhaps not done.
bool WriteGroup::take_kept(BatchPointer& newest) {
    bool lost = false;
    std::vector<Kept>& kept = Kept::of_this_thread();
    for (const Kept& one : kept) {
        if (one.group != this) continue;
        newest = one.batch;
        lost = lost || one.batch->now() == Batch::State::lost;
    }
    std::erase_if(kept, [this](const Kept& one) { return one.group == this; });
    return lost;
}

void WriteGroup::wait(Lock lock, Batch& batch) {
    constexpr std::chrono::milliseconds look_again{100}; // whoever was arriving may have lost patience
    batch.awaited = true;
    for (;;) {
        flush_if_last();
        lock.unlock();
        {
            std::unique_lock guard{batch.mutex};
            if (batch.over.wait_for(guard, look_again, [&] { return batch.state != Batch::State::open; })) return;
        }
        lock = take_lock();
    }
}

WriteGroup::Batch::State WriteGroup::Batch::now() {
    const std::lock_guard guard{mutex};
    return state;
}

void WriteGroup::flush_if_last() {
    if (!batch_) return;
    if (batch_->turns == 0) return drop(); // its only turn was taken back
    const bool last = arriving_ == 0 && batch_->awaited;
    if (last || batch_->turns >= most_turns) flush();
}

void WriteGroup::flush() {
    const bool failed = !steps_.commit.try_run();
    if (failed) sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    finish(failed ? Batch::State::lost : Batch::State::committed);
}

/// An open transaction locks other processes out.
void WriteGroup::drop() {
    sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    batch_.reset();
}

void WriteGroup::notice_loss() {
    if (batch_ && sqlite3_get_autocommit(connection_.handle()) != 0) finish(Batch::State::lost);
}

void WriteGroup::finish(Batch::State state) {
    const BatchPointer batch = std::move(batch_);
    {
        const std::lock_guard guard{batch->mutex};
        batch->state = state;
    }
    batch->over.notify_all();
}

} // namespace casemate::store
