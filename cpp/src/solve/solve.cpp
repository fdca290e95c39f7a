// One system by one solver.
#include <stdexcept>

#include "solve/policy.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

Solver choose(std::int64_t unknowns, std::int64_t reach) { return attempts_for(unknowns, reach, {}).front().solver; }

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
        case Solver::graph_multigrid: return graph_multigrid(problem, options, x, monitor);
        default: return jacobi(problem, options, x, monitor);
    }
}

}  // namespace trimatte
