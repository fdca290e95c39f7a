#include "base/crew.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>

namespace trimatte {
namespace {

using Clock = std::chrono::steady_clock;

// Time for which a thread spins before it sleeps or yields; waking a thread takes about as long.
constexpr std::chrono::microseconds spinning{100};
// On a calm machine a thread stays awake for this time, and yields to other threads wherever there
// are any.
constexpr std::chrono::microseconds yielding{1000};

// Waits without sleeping for at most `most`. Returns whether the condition came to hold.
template <typename Condition>
bool spin(const Condition& holds, std::chrono::microseconds most) {
    const Clock::time_point begin = Clock::now();
    for (Clock::time_point now = begin; now < begin + most; now = Clock::now()) {
        if (now >= begin + spinning) {
            std::this_thread::yield();
        }
        for (int i = 0; i < 20; ++i) {
            if (holds()) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace

void Crew::grow(const std::shared_ptr<Crew>& crew, int helpers) {
    for (; crew->size_ < helpers; ++crew->size_) {
        try {
            std::thread([crew] { crew->help(); }).detach();
        } catch (const std::system_error&) {
            return;
        }
    }
}

void Crew::run(const Job& job, int helpers, bool calm) {
    calm_ = calm;
    places_ = helpers;
    job_ = &job;
    ++jobs_;
    if (sleeping_ > 0) {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (int i = std::min<int>(helpers, sleeping_); i > 0; --i) {
            wake_.notify_one();
        }
    }
    job();
    job_ = nullptr;
    await_helpers();
}

void Crew::dismiss() {
    over_ = true;
    const std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
}

void Crew::help() {
    for (std::int64_t seen = 0; !over_;) {
        const auto called = [&] { return jobs_ != seen || over_; };
        if (!spin(called, calm_ ? yielding : spinning)) {
            std::unique_lock<std::mutex> lock(mutex_);
            ++sleeping_;
            wake_.wait(lock, called);
            --sleeping_;
        }
        seen = jobs_;
        // active_ must grow before job_ is read: the leader clears job_ before it looks at active_,
        // so it waits for every helper that has read the job.
        ++active_;
        if (const Job* job = job_; job != nullptr && places_.fetch_sub(1) > 0) {
            (*job)();
        }
        if (--active_ == 0 && leader_sleeps_) {
            const std::lock_guard<std::mutex> lock(mutex_);
            done_.notify_one();
        }
    }
}

void Crew::await_helpers() {
    const auto idle = [&] { return active_ == 0; };
    if (!spin(idle, calm_ ? yielding : spinning)) {
        leader_sleeps_ = true;
        std::unique_lock<std::mutex> lock(mutex_);
        done_.wait(lock, idle);
        leader_sleeps_ = false;
    }
}

}  // namespace trimatte
