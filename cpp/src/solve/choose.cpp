#include <stdexcept>

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

Solver choose(std::int64_t unknowns, std::int64_t reach) {
    if (reach <= Stencil::reach) {
        return unknowns <= cholesky_unknowns_at_most ? Solver::cholesky : Solver::multigrid;
    }
    const std::int64_t entries_at_most =
        reach < wide_reach ? cholesky_entries_at_most : cholesky_entries_at_most_when_wide;
    const std::int64_t entries = unknowns * (2 * reach + 1) * (2 * reach + 1);  // at most
    return entries <= entries_at_most ? Solver::cholesky : Solver::conjugate_gradient;
}

SolveInfo solve(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    Solver solver = options.solver;
    if (solver == Solver::automatic) {
        solver = problem.stencil ? Solver::multigrid : choose(problem.unknowns(), problem.reach);
    }
    if (problem.stencil && solver != Solver::multigrid) {
        throw std::invalid_argument("problem: expected a matrix for this solver, got a stencil");
    }
    switch (solver) {
        case Solver::cholesky: return cholesky(problem, options, x, monitor);
        case Solver::multigrid: return multigrid(problem, options, x, monitor);
        default: return jacobi(problem, options, x, monitor);
    }
}

}  // namespace trimatte
