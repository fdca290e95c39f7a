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
// for them for ever. A new thread has no pool yet and makes its own, so a forked child computes from one.
std::atomic<bool> is_forked_child{false};
const int fork_handler = pthread_atfork(nullptr, nullptr, [] { is_forked_child = true; });
#else
constexpr bool is_forked_child = false;
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

#if defined(_OPENMP)
void work_on_all(Chunks& chunks, [[maybe_unused]] int threads) {
#pragma omp parallel num_threads(threads)
    chunks.work();
}

void work_on_all_from_new_thread(Chunks& chunks, int threads, Monitor& monitor) {
    std::mutex mutex;
    std::condition_variable wake;
    bool done = false;
    std::thread fresh([&] {
        work_on_all(chunks, threads);
        const std::lock_guard<std::mutex> lock(mutex);
        done = true;
        wake.notify_one();
    });
    {
        std::unique_lock<std::mutex> lock(mutex);
        while (!wake.wait_for(lock, std::chrono::milliseconds(20), [&] { return done; })) {
            try {
                monitor.poll();
            } catch (...) {
                chunks.fail(std::current_exception());
            }
        }
    }
    fresh.join();
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

void parallel_for(std::int64_t count, int threads, Monitor& monitor, const std::function<void(std::int64_t)>& body) {
    Chunks chunks(count, monitor, body);
#if defined(_OPENMP)
    threads = static_cast<int>(std::min<std::int64_t>(threads, count));
    if (threads > 1 && is_forked_child) {
        work_on_all_from_new_thread(chunks, threads, monitor);
    } else if (threads > 1) {
        work_on_all(chunks, threads);
    } else {
        chunks.work();
    }
#else
    (void)threads;
    chunks.work();
#endif
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
