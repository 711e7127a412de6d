// SPDX-License-Identifier: Apache-2.0
// See timed_backend.hpp.
#include "attest/store/timed_backend.hpp"

namespace casemate::store {
namespace {

using Clock = std::chrono::steady_clock;

/// Reports the time from its beginning to its end, also when the work threw.
class Timer {
public:
    Timer(const Observer& observer, Step step, Clock::time_point begun = Clock::now()) : observer_{observer}, step_{step}, begun_{begun} {}
    ~Timer() { observer_(step_, Clock::now() - begun_); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

private:
    const Observer& observer_;
    const Step step_;
    const Clock::time_point begun_;
};

/// A lent session, given back with this.
class TimedSession final : public Session {
public:
    /// `asked`: since when its borrower waits for a transaction.
    TimedSession(Backend::Lease session, const Observer& observer, Clock::time_point asked)
        : session_{std::move(session)}, observer_{observer}, asked_{asked}, use_{observer, Step::use} {}

    [[nodiscard]] std::unique_ptr<Rows> query(const char* sql, Parameters parameters) override {
        return session_->query(sql, parameters);
    }
    [[nodiscard]] std::vector<std::unique_ptr<Rows>> query_all(std::initializer_list<Query> queries) override {
        return session_->query_all(queries);
    }
    std::int64_t run(const char* sql, Parameters parameters) override { return session_->run(sql, parameters); }
    void queue(const char* sql, Parameters parameters) override { session_->queue(sql, parameters); }
    void begin() override {
        const Timer timer{observer_, Step::wait, asked_};
        session_->begin();
    }
    void commit() override {
        const Timer timer{observer_, Step::commit};
        session_->commit();
    }
    void commit_early() override {
        const Timer timer{observer_, Step::commit};
        session_->commit_early();
    }
    void begin_single() override {
        const Timer timer{observer_, Step::wait, asked_};
        session_->begin_single();
    }
    void commit_later() override { session_->commit_later(); } // waits for nothing
    void rollback() noexcept override { session_->rollback(); }
    [[nodiscard]] bool has_row_locks() const override { return session_->has_row_locks(); }

private:
    const Backend::Lease session_;
    const Observer& observer_;
    const Clock::time_point asked_;
    const Timer use_;
};

class TimedBackend final : public Backend {
public:
    TimedBackend(std::unique_ptr<Backend> backend, Observer observer) : backend_{std::move(backend)}, observer_{std::move(observer)} {}

    /// For a transaction: the wait is over when that has begun, since SQLite's writers wait for their turn only there.
    [[nodiscard]] Lease borrow() override {
        const Clock::time_point asked = Clock::now();
        return lent(backend_->borrow(), asked);
    }
    [[nodiscard]] Lease borrow_reader() override {
        const Clock::time_point asked = Clock::now();
        const Timer timer{observer_, Step::wait};
        return lent(backend_->borrow_reader(), asked);
    }
    void settle() override { backend_->settle(); } // most have nothing to wait for: they would hide the commits
    void check() override { backend_->check(); }

private:
    [[nodiscard]] Lease lent(Lease session, Clock::time_point asked) const {
        return {new TimedSession{std::move(session), observer_, asked}, [](Session* one) { delete one; }};
    }

    const std::unique_ptr<Backend> backend_;
    const Observer observer_;
};

} // namespace

std::unique_ptr<Backend> timed(std::unique_ptr<Backend> backend, Observer observer) {
    if (!observer) return backend;
    return std::make_unique<TimedBackend>(std::move(backend), std::move(observer));
}

} // namespace casemate::store
