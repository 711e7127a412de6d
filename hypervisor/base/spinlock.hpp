// SPDX-License-Identifier: Apache-2.0
// A lock for the few things that cores share (the console, a link between two VMs). Held with interrupts off, for microseconds, never across
// an entry into a guest. Bounded: after give_up polls the holder is taken for dead (it stopped in a panic).
#pragma once

#include <atomic>

namespace casemate {

class SpinLock {
public:
    void lock() {
        for (unsigned i = 0; i < give_up && held_.exchange(true, std::memory_order_acquire); ++i)
            __builtin_ia32_pause();
    }
    void unlock() { held_.store(false, std::memory_order_release); }

private:
    static constexpr unsigned give_up = 1u << 28;
    std::atomic<bool> held_{false};
};

class LockGuard {
public:
    explicit LockGuard(SpinLock& lock) : lock_{lock} { lock_.lock(); }
    ~LockGuard() { lock_.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

private:
    SpinLock& lock_;
};

} // namespace casemate
