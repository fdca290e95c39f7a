#include "trimatte/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(_OPENMP) && defined(__unix__)
#include <pthread.h>
#endif

namespace trimatte {
namespace {

// Small enough that a poll between two pieces comes often, large enough that a piece costs more than its call.
constexpr std::int64_t range_size = 8192;
// Below this many elements a region costs more than it saves, on a busy machine many times more.
constexpr std::int64_t parallel_from = 4 * range_size;

#if defined(_OPENMP) && defined(__unix__)
// After fork() the child has the parent's idea of a thread pool but none of its threads, and GNU OpenMP waits
// for them for ever. A new thread has no pool yet and makes its own, so a forked child takes its helpers from one.
std::atomic<bool> is_forked_child{false};
const int fork_handler = pthread_atfork(nullptr, nullptr, [] { is_forked_child = true; });
#else
[[maybe_unused]] constexpr bool is_forked_child = false;
#endif

// The chunks still to do, shared by the threads of one parallel_for.
class Chunks {
public:
    Chunks(std::int64_t count, Monitor& monitor, const std::function<void(std::int64_t)>& body)
        : count_(count), monitor_(monitor), body_(body) {}

    // Takes chunks until none is left or one has failed.
    void work() {
        try {
            while (!failed_.load(std::memory_order_relaxed)) {
                const std::int64_t i = next_.fetch_add(1, std::memory_order_relaxed);
                if (i >= count_) {
                    return;
                }
                body_(i);
                monitor_.poll();
            }
        } catch (...) {
            fail(std::current_exception());
        }
    }

    void fail(std::exception_ptr error) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!error_) {
            error_ = std::move(error);
        }
        failed_ = true;
    }

    void rethrow() const {
        if (error_) {
            std::rethrow_exception(error_);
        }
    }

private:
    const std::int64_t count_;
    Monitor& monitor_;
    const std::function<void(std::int64_t)>& body_;
    std::atomic<std::int64_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::exception_ptr error_;
};

// The threads of one native call. OpenMP starts them once; then the leader hands out one job after the other, and at
// the end of a job it waits only for those who have begun on it. (At the end of an OpenMP region it would wait for all,
// and on a busy machine a thread with nothing to do may take 10 ms to find that out.)
class Team {
public:
    // By the leader: chunks are done when this returns.
    void run(Chunks& chunks) {
        job_ = &chunks;
        ++jobs_;
        if (sleeping_ > 0) {
            const std::lock_guard<std::mutex> lock(mutex_);
            wake_.notify_all();
        }
        chunks.work();
        job_ = nullptr;
        for (int i = 0; active_ > 0; ++i) {
            rest(i);
        }
    }

    // By the others: helps until dismissed.
    void help() {
        for (std::int64_t seen = 0; !over_;) {
            for (int i = 0; jobs_ == seen && !over_ && i < spins; ++i) {
                rest(i);
            }
            if (jobs_ == seen) {
                std::unique_lock<std::mutex> lock(mutex_);
                ++sleeping_;
                wake_.wait(lock, [&] { return jobs_ != seen || over_; });
                --sleeping_;
            }
            seen = jobs_;
            ++active_;  // before the job is read: the leader takes it back before it looks who is active
            if (Chunks* job = job_) {
                job->work();
            }
            --active_;
        }
    }

    void dismiss() {
        over_ = true;
        const std::lock_guard<std::mutex> lock(mutex_);
        wake_.notify_all();
    }

private:
    static constexpr int spins = 2000;  // some ten microseconds, as long as it takes to wake a thread

    static void rest(int i) {
        if (i >= 200) {
            std::this_thread::yield();
        }
    }

    std::atomic<Chunks*> job_{nullptr};
    std::atomic<std::int64_t> jobs_{0};
    std::atomic<int> active_{0};
    std::atomic<int> sleeping_{0};
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
};

thread_local Team* team_here = nullptr;

#if defined(_OPENMP)
// Runs body as the leader; returns what it threw. The calling thread leads always: it is the one that reports.
std::exception_ptr lead(Team& team, const std::function<void()>& body) {
    std::exception_ptr error;
    team_here = &team;
    try {
        body();
    } catch (...) {
        error = std::current_exception();
    }
    team_here = nullptr;
    team.dismiss();
    return error;
}
#endif

}  // namespace

bool has_openmp() {
#if defined(_OPENMP)
    return true;
#else
    return false;
#endif
}

int max_threads() {
#if defined(_OPENMP)
    return std::max(1, omp_get_max_threads());
#else
    return 1;
#endif
}

void with_team([[maybe_unused]] int threads, const std::function<void()>& body) {
#if defined(_OPENMP)
    if (threads > 1 && team_here == nullptr) {
        Team team;
        std::exception_ptr error;
        if (is_forked_child) {
            std::thread helpers([&] {
#pragma omp parallel num_threads(threads - 1)
                team.help();
            });
            error = lead(team, body);
            helpers.join();
        } else {
#pragma omp parallel num_threads(threads)
            if (omp_get_thread_num() == 0) {
                error = lead(team, body);
            } else {
                team.help();
            }
        }
        if (error) {
            std::rethrow_exception(error);
        }
        return;
    }
#endif
    body();
}

void parallel_for(std::int64_t count, int threads, Monitor& monitor, const std::function<void(std::int64_t)>& body) {
    Chunks chunks(count, monitor, body);
    if (threads > 1 && count > 1) {
        with_team(static_cast<int>(std::min<std::int64_t>(threads, count)),
                  [&] { team_here != nullptr ? team_here->run(chunks) : chunks.work(); });
    } else {
        chunks.work();
    }
    chunks.rethrow();
}

void parallel_ranges(std::int64_t size, int threads, Monitor& monitor,
                     const std::function<void(std::int64_t, std::int64_t)>& body) {
    parallel_for((size + range_size - 1) / range_size, size < parallel_from ? 1 : threads, monitor,
                 [&](std::int64_t i) { body(i * range_size, std::min(size, (i + 1) * range_size)); });
}

double parallel_sum(std::int64_t size, int threads, Monitor& monitor,
                    const std::function<double(std::int64_t, std::int64_t)>& body) {
    std::vector<double> part(static_cast<std::size_t>((size + range_size - 1) / range_size));
    parallel_ranges(size, threads, monitor, [&](std::int64_t begin, std::int64_t end) {
        part[static_cast<std::size_t>(begin / range_size)] = body(begin, end);
    });
    double sum = 0;
    for (const double p : part) {
        sum += p;
    }
    return sum;
}

}  // namespace trimatte
