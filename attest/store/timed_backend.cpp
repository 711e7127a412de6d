// SPDX-License-Identifier: Apache-2.0
// See timed_backend.hpp.
#include "attest/store/timed_backend.hpp"

namespace casemate::store {
namespace {

/// Reports the time from its making to its end, also when the work threw.
class Timer {
public:
    Timer(const Observer& observer, Step step) : observer_{observer}, step_{step} {}
    ~Timer() { observer_(step_, std::chrono::steady_clock::now() - begun_); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

private:
    const Observer& observer_;
    const Step step_;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

/// A lent session, given back with this.
class TimedSession final : public Session {
public:
    TimedSession(Backend::Lease session, const Observer& observer)
        : session_{std::move(session)}, observer_{observer}, use_{observer, Step::use} {}

    [[nodiscard]] std::unique_ptr<Rows> query(const char* sql, Parameters parameters) override {
        return session_->query(sql, parameters);
    }
    std::int64_t run(const char* sql, Parameters parameters) override { return session_->run(sql, parameters); }
    void queue(const char* sql, Parameters parameters) override { session_->queue(sql, parameters); }
    void begin() override { session_->begin(); }
    void commit() override {
        const Timer timer{observer_, Step::commit};
        session_->commit();
    }
    void commit_early() override {
        const Timer timer{observer_, Step::commit};
        session_->commit_early();
    }
    void begin_single() override { session_->begin_single(); }
    void commit_later() override { session_->commit_later(); } // what it takes is waited for in settle()
    void rollback() noexcept override { session_->rollback(); }
    [[nodiscard]] bool has_row_locks() const override { return session_->has_row_locks(); }

private:
    const Backend::Lease session_;
    const Observer& observer_;
    const Timer use_;
};

class TimedBackend final : public Backend {
public:
    TimedBackend(std::unique_ptr<Backend> backend, Observer observer) : backend_{std::move(backend)}, observer_{std::move(observer)} {}

    [[nodiscard]] Lease borrow() override { return lent([&] { return backend_->borrow(); }); }
    [[nodiscard]] Lease borrow_reader() override { return lent([&] { return backend_->borrow_reader(); }); }
    void settle() override {
        const Timer timer{observer_, Step::commit};
        backend_->settle();
    }
    void check() override { backend_->check(); }

private:
    template <typename Borrow>
    [[nodiscard]] Lease lent(Borrow borrow) {
        Lease session = [&] {
            const Timer timer{observer_, Step::wait};
            return borrow();
        }();
        return {new TimedSession{std::move(session), observer_}, [](Session* one) { delete one; }};
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
