// A solver for sparse systems that come from anywhere, without pixels.
#pragma once

#include "trimatte/solve.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// Takes A: it is scaled in place.
// Fills x (A.rows numbers; the start on entry) by conjugate gradients with the multigrid for
// graphs, until the estimated largest error of x is at most `tolerance`. A is symmetric and
// positive (semi-)definite. near_null holds `columns` vectors of A.rows numbers that A maps to
// (almost) zero; the first is the constant. Throws std::invalid_argument if a row is not sorted,
// has no positive diagonal or is not finite; Cancelled.
SolveInfo solve_sparse(Csr&& A, const double* rhs, const float* near_null, int columns, double tolerance,
                       std::int64_t max_iterations, int threads, double* x, Monitor& monitor);

}  // namespace trimatte
