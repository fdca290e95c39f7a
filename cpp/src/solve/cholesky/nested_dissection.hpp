// Nested dissection orders the unknowns by their places, so that sparse Cholesky leaves little
// fill. This header is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/monitor.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// The result's number k is the unknown to eliminate as the k-th. Any result is a valid order. The
// order does not depend on the number of threads.
std::vector<std::int32_t> nested_dissection(const Problem& problem, Monitor& monitor, int threads = 1);

}  // namespace trimatte
