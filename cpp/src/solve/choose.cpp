#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

// Up to here the factor of a 3 x 3 closed-form system fits into memory: about 240 entries of 12 bytes per unknown.
// Conjugate gradients with Jacobi need thousands of iterations for such systems, so even a slow factorisation is
// the better choice while it fits.
constexpr std::int64_t cholesky_entries_at_most = std::int64_t{50} * 1000 * 1000;

}  // namespace

Solver choose(const Problem& problem) {
    return problem.matrix.nonzeros() <= cholesky_entries_at_most ? Solver::cholesky : Solver::conjugate_gradient;
}

SolveInfo solve(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Solver solver = options.solver == Solver::automatic ? choose(problem) : options.solver;
    return solver == Solver::cholesky ? cholesky(problem, options, x, monitor)
                                      : conjugate_gradient(problem, options, x, monitor);
}

}  // namespace trimatte
