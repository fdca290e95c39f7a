// Nested dissection orders the unknowns by their places, so that sparse Cholesky leaves little
// fill. This header is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/monitor.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// Number k of the result is the unknown to eliminate as the k-th. The unknowns need places and a
// reach. Whatever these are, the result is a permutation and hence a valid order. It does not
// depend on the number of threads.
std::vector<std::int32_t> nested_dissection(const Problem& problem, Monitor& monitor, int threads = 1);

}  // namespace trimatte
