// The only door to threads. Results never depend on their number: work is cut into chunks whose borders do not depend
// on it, and sums are added in the order of the chunks.
#pragma once

#include <cstdint>
#include <functional>

#include "trimatte/monitor.hpp"

namespace trimatte {

// How a native call runs: the number of threads it may use, and the caller's monitor.
struct Context {
    int threads;
    Monitor& monitor;
};

// Whether the core was built with OpenMP, whose limit of threads it keeps. Without it every call runs on one thread.
bool has_openmp();

// OpenMP's own limit (OMP_NUM_THREADS, threadpoolctl); 1 when built without OpenMP.
int max_threads();

// Runs body(0) ... body(count - 1), each once, in any order. The first exception stops the rest and is thrown
// here. The calling thread polls the monitor between its chunks: keep a chunk under 50 ms. Its helpers are threads of
// its own that sleep between two calls. A parallel_for inside a chunk runs on the chunk's thread. In a forked child the
// caller gets new helpers.
void parallel_for(std::int64_t count, int threads, Monitor& monitor, const std::function<void(std::int64_t)>& body);

// body(begin, end) on pieces of [0, size) that do not depend on the number of threads.
void parallel_ranges(std::int64_t size, int threads, Monitor& monitor,
                     const std::function<void(std::int64_t, std::int64_t)>& body);

// Sum of body(begin, end) over such pieces, added in order.
double parallel_sum(std::int64_t size, int threads, Monitor& monitor,
                    const std::function<double(std::int64_t, std::int64_t)>& body);

}  // namespace trimatte
