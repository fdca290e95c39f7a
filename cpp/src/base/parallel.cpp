#include "trimatte/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "base/crew.hpp"
#include "base/pace.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__MINGW32__) || (defined(_OPENMP) && (defined(__unix__) || defined(__APPLE__)))
#include <pthread.h>
#endif
#if defined(_WIN32)
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>
#endif

namespace trimatte {
namespace {

// The number of elements of a piece of parallel_ranges: it is small enough that the monitor is
// polled often, and large enough that the work on a piece takes longer than its call.
constexpr std::int64_t range_size = 8192;
// Below this number of elements a job for several threads costs more than it saves, and much more
// on a busy machine.
constexpr std::int64_t parallel_from = 4 * range_size;

// The chunks of one parallel_for that its threads still have to do.
class Chunks {
public:
    Chunks(std::int64_t count, Monitor& monitor, const std::function<void(std::int64_t)>& body)
        : count_(count), monitor_(monitor), body_(body) {}

    // Takes chunks until none is left or one has failed. Returns the number of chunks done.
    std::int64_t work() {
        std::int64_t done = 0;
        try {
            while (!failed_.load(std::memory_order_relaxed)) {
                const std::int64_t i = next_.fetch_add(1, std::memory_order_relaxed);
                if (i >= count_) {
                    return done;
                }
                body_(i);
                ++done;
                monitor_.poll();
            }
        } catch (...) {
            fail(std::current_exception());
        }
        return done;
    }

    void fail(std::exception_ptr error) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!error_) {
            error_ = std::move(error);
        }
        failed_ = true;
    }

    std::int64_t count() const { return count_; }

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

// Whether this thread is inside a chunk. A parallel_for in there runs on this thread alone.
thread_local bool in_chunk = false;

// Returns the processor time of the calling thread, in seconds. A system without such a clock gives
// the elapsed time, as if nobody else used the cores.
double processor_seconds() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#else
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

// Whether the process is ending and its other threads are gone. Windows ends them wherever they are,
// with the locks that they hold, before it destroys what is local to the last thread.
bool other_threads_are_gone() {
#if defined(_WIN32)
    using Question = BOOLEAN(WINAPI*)();
    const auto address = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlDllShutdownInProgress");
    const auto is_ending = reinterpret_cast<Question>(reinterpret_cast<void*>(address));
    return is_ending != nullptr && is_ending() != 0;
#else
    return false;
#endif
}

// The helpers of the calling thread, which are kept for its next call.
class Helpers {
public:
    ~Helpers() {
        if (other_threads_are_gone()) {
            forget();
        } else if (crew_) {
            crew_->dismiss();
        }
    }

    void run(Chunks& chunks, int helpers) {
        if (!crew_) {
            crew_ = std::make_shared<Crew>();
        }
        const bool alone = pace_.alone(seconds());
        const std::thread::id caller = std::this_thread::get_id();
        std::int64_t own = 0;
        double own_end = 0;
        const auto job = [&] {
            in_chunk = true;
            const std::int64_t done = chunks.work();
            in_chunk = false;
            if (std::this_thread::get_id() == caller) {
                own = done;
                own_end = seconds();
            }
        };
        if (alone) {
            job();
        } else {
            Crew::grow(crew_, helpers);
            crew_->run(job, helpers, pace_.calm());
        }
        const double end = alone ? own_end : seconds();
        pace_.finished({end, end - own_end, own, chunks.count() - own, helpers});
    }

    // Is called after a fork, and at the end of a process on Windows. The crew has no threads any
    // more, and its locks are in an unknown state, so it must not even be destroyed.
    void forget() {
        if (crew_) {
            new std::shared_ptr<Crew>(std::move(crew_));
        }
        pace_ = Pace(processor_seconds);
    }

private:
    static double seconds() {
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }

    std::shared_ptr<Crew> crew_;
    Pace pace_{processor_seconds};
};

#if defined(__MINGW32__)
// MinGW may free the memory of thread_local objects before it calls their destructors.
Helpers& helpers_here() {
    static const pthread_key_t key = [] {
        pthread_key_t made;
        if (pthread_key_create(&made, [](void* helpers) { delete static_cast<Helpers*>(helpers); }) != 0) {
            throw std::bad_alloc();
        }
        return made;
    }();
    if (pthread_getspecific(key) == nullptr) {
        pthread_setspecific(key, new Helpers);
    }
    return *static_cast<Helpers*>(pthread_getspecific(key));
}
#else
Helpers& helpers_here() {
    thread_local Helpers helpers;
    return helpers;
}
#endif

#if defined(_OPENMP) && (defined(__unix__) || defined(__APPLE__))
// Only the thread that forks lives on in the child.
const int fork_handler = pthread_atfork(nullptr, nullptr, [] {
    helpers_here().forget();
    in_chunk = false;
});
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
    if (has_openmp() && threads > 1 && count > 1 && !in_chunk) {
        helpers_here().run(chunks, static_cast<int>(std::min<std::int64_t>(threads, count)) - 1);
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
