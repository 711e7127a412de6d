// SPDX-License-Identifier: Apache-2.0
// See bounded_key.hpp.
#include "attest/keystore/bounded_key.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

namespace casemate::keystore {

using cose::SignError;
using Signed = Result<cose::RawSignature, SignError>;
using Clock = std::chrono::steady_clock;

namespace {

/// One call: whoever asked may have gone by the time it is made.
struct Call {
    measure::Sha256Digest digest{};
    Clock::time_point deadline;
    std::promise<Signed> answer;
};

} // namespace

class BoundedKey::Worker {
public:
    explicit Worker(std::shared_ptr<const cose::SigningKey> key) : device{std::move(key)} {}

    /// Nothing when the device hangs.
    std::optional<std::future<Signed>> enter(ByteView digest, Clock::time_point deadline) {
        const std::lock_guard guard{lock_};
        if (running_until_ && *running_until_ <= Clock::now()) return std::nullopt;
        Call call{.digest = {}, .deadline = deadline, .answer = {}};
        std::copy(digest.begin(), digest.end(), call.digest.begin());
        std::future<Signed> answer = call.answer.get_future();
        calls_.push_back(std::move(call));
        changed_.notify_one();
        return answer;
    }
    /// Whether the thread ends at once: no call is being made.
    [[nodiscard]] bool end() {
        const std::lock_guard guard{lock_};
        ended_ = true;
        changed_.notify_one();
        return !running_until_;
    }
    /// The thread's work.
    void run() {
        while (std::optional<Call> call = next()) {
            const Signed answer = device->sign_digest(call->digest);
            {
                const std::lock_guard guard{lock_};
                running_until_.reset();
            }
            call->answer.set_value(answer); // last: who has his answer finds no call being made
        }
    }

    const std::shared_ptr<const cose::SigningKey> device;

private:
    /// Calls whose callers have gone are not made.
    std::optional<Call> next() {
        std::unique_lock guard{lock_};
        while (true) {
            changed_.wait(guard, [this] { return ended_ || !calls_.empty(); });
            if (ended_) return std::nullopt;
            Call call = std::move(calls_.front());
            calls_.pop_front();
            if (call.deadline <= Clock::now()) continue;
            running_until_ = call.deadline;
            return call;
        }
    }

    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<Call> calls_;
    std::optional<Clock::time_point> running_until_; // the call that is being made should have ended
    bool ended_ = false;
};

BoundedKey::BoundedKey(std::shared_ptr<const cose::SigningKey> device, std::chrono::milliseconds limit)
    : worker_{std::make_shared<Worker>(std::move(device))}, limit_{limit} {
    thread_ = std::thread{[worker = worker_] { worker->run(); }};
}

BoundedKey::~BoundedKey() {
    if (worker_->end()) thread_.join();
    else thread_.detach();
}

const cose::PublicPoint& BoundedKey::public_key() const { return worker_->device->public_key(); }

bool BoundedKey::is_device() const { return worker_->device->is_device(); }

Signed BoundedKey::sign_digest(ByteView digest) const {
    if (digest.size() != measure::Sha256Digest{}.size()) return Failure{SignError::library};
    const auto deadline = Clock::now() + limit_;
    auto answer = worker_->enter(digest, deadline);
    if (!answer || answer->wait_until(deadline) != std::future_status::ready) return Failure{SignError::device_silent};
    return answer->get();
}

} // namespace casemate::keystore
