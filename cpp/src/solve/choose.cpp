#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

// Up to here Cholesky is as fast as multigrid, and exact.
constexpr std::int64_t cholesky_unknowns_at_most = 5000;
// Without multigrid (windows larger than 3 x 3), up to here the factor fits into memory: about 240 entries of 12 bytes
// per unknown. Conjugate gradients with Jacobi need thousands of iterations, so even a slow factorisation is better.
constexpr std::int64_t cholesky_entries_at_most = std::int64_t{50} * 1000 * 1000;
// Wide windows couple so much that the factor is nearly dense, and make CG's work easy.
constexpr std::int64_t wide_reach = 8;
constexpr std::int64_t cholesky_entries_at_most_when_wide = 1000 * 1000;

}  // namespace

Solver choose(const Problem& problem) {
    if (problem.reach <= multigrid_reach) {
        return problem.unknowns() <= cholesky_unknowns_at_most ? Solver::cholesky : Solver::multigrid;
    }
    const std::int64_t entries_at_most =
        problem.reach < wide_reach ? cholesky_entries_at_most : cholesky_entries_at_most_when_wide;
    return problem.matrix.nonzeros() <= entries_at_most ? Solver::cholesky : Solver::conjugate_gradient;
}

SolveInfo solve(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    switch (options.solver == Solver::automatic ? choose(problem) : options.solver) {
        case Solver::cholesky: return cholesky(problem, options, x, monitor);
        case Solver::multigrid: return multigrid(problem, options, x, monitor);
        default: return conjugate_gradient(problem, options, x, monitor);
    }
}

}  // namespace trimatte
