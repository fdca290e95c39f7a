// Solvers: each takes a Problem and knows nothing of the affinity it came from.
#pragma once

#include <cstdint>

#include "trimatte/monitor.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

enum class Solver { automatic, cholesky, multigrid, conjugate_gradient };

struct SolveOptions {
    Solver solver = Solver::automatic;
    double relative_residual = 0;  // ||D^-1 (b - A x)|| / ||D^-1 b|| that cg has to reach too, D the diagonal of A; 0: any
    std::int64_t max_iterations = 10000;
    int threads = 1;
    double tolerance = 1e-3;  // largest error of alpha at which multigrid and cg stop
};

struct SolveInfo {
    Solver solver;  // the one that ran
    bool converged;
    std::int64_t iterations;         // 0 for a direct solver
    double relative_residual;        // of the x returned, computed anew from A and b
    double error_estimate;           // of the largest error of x; 0 for a direct solver, NaN where there is none
    std::size_t peak_bytes;          // of the arrays the solver held, the problem not counted
    double operator_complexity = 1;  // numbers in the matrices of all levels over those of the first
};

// Fills x (unknowns() doubles). Throws FactorizationError, Cancelled.
SolveInfo solve(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);

// The solvers themselves, each in a file of its name. The iterative ones start from the x given.
SolveInfo cholesky(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Multigrid takes problems with a stencil, or whose unknowns are coupled over at most Stencil::reach rows and columns.
SolveInfo multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Conjugate gradients with a diagonal preconditioner.
SolveInfo jacobi(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);

// Which solver `automatic` means for so many unknowns, coupled over so many rows and columns.
Solver choose(std::int64_t unknowns, std::int64_t reach);

// y = A x; returns nothing of its own. Same bits for any number of threads.
void multiply(const Csr& matrix, const double* x, double* y, int threads, Monitor& monitor);

// ||D^-1 (b - A x)|| / ||D^-1 b||, D the diagonal of A; 0 if both are zero.
double relative_residual(const Problem& problem, const double* x, int threads, Monitor& monitor);

}  // namespace trimatte
