// This header is the only door to threads. Results never depend on the number of threads: the
// borders of the chunks of work do not depend on it, and sums are added in the order of the chunks.
#pragma once

#include <cstdint>
#include <functional>

#include "trimatte/monitor.hpp"

namespace trimatte {

// The number of threads that a native call may use, and the monitor of its caller.
struct Context {
    int threads;
    Monitor& monitor;
};

// Whether the core was built with OpenMP, whose limit of threads it respects. Without OpenMP every
// call runs on one thread.
bool has_openmp();

// OpenMP's limit of threads (OMP_NUM_THREADS, threadpoolctl); 1 if the core was built without
// OpenMP.
int max_threads();

// Runs the chunks body(0) ... body(count - 1), each once, in any order, on the calling thread and
// at most threads - 1 helpers. The first exception stops the rest and is thrown here. Each thread
// polls the monitor between its chunks, so a chunk should take less than 50 ms. Every calling
// thread has helpers of its own, which are kept for its next call and sleep in between. A
// parallel_for inside a chunk runs on the thread of the chunk. In a forked child the caller gets
// new helpers.
void parallel_for(std::int64_t count, int threads, Monitor& monitor, const std::function<void(std::int64_t)>& body);

// Calls body(begin, end) on pieces of [0, size), a few thousand numbers each, in parallel. The
// pieces do not depend on the number of threads. If `size` is small, the calling thread does all.
void parallel_ranges(std::int64_t size, int threads, Monitor& monitor,
                     const std::function<void(std::int64_t, std::int64_t)>& body);

// Returns the sum of body(begin, end) over such pieces, added in order.
double parallel_sum(std::int64_t size, int threads, Monitor& monitor,
                    const std::function<double(std::int64_t, std::int64_t)>& body);

}  // namespace trimatte
