// The only door to OpenMP. Results never depend on the number of threads: work is cut into chunks whose
// borders do not depend on it, and sums are added in the order of the chunks.
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

// Whether the core was built with OpenMP.
bool has_openmp();

// OpenMP's own limit (OMP_NUM_THREADS, threadpoolctl); 1 when built without OpenMP.
int max_threads();

// Runs body with threads at hand for every parallel_for in it. A call that has many of those is faster with it: the
// threads are started once. body runs on the calling thread.
void with_team(int threads, const std::function<void()>& body);

// Runs body(0) ... body(count - 1), each once, in any order. The first exception stops the rest and is thrown
// here. The calling thread polls the monitor between its chunks: keep a chunk under 50 ms.
// Works in a forked child too, where GNU OpenMP by itself would hang.
void parallel_for(std::int64_t count, int threads, Monitor& monitor, const std::function<void(std::int64_t)>& body);

// body(begin, end) on pieces of [0, size) that do not depend on the number of threads.
void parallel_ranges(std::int64_t size, int threads, Monitor& monitor,
                     const std::function<void(std::int64_t, std::int64_t)>& body);

// Sum of body(begin, end) over such pieces, added in order.
double parallel_sum(std::int64_t size, int threads, Monitor& monitor,
                    const std::function<double(std::int64_t, std::int64_t)>& body);

}  // namespace trimatte
