// Conjugate gradients with the preconditioner of Jacobi, the inverse of the diagonal. This solver
// needs hundreds to thousands of iterations, but no memory beyond the scaled matrix and its
// vectors.
#include <memory>

#include "solve/conjugate_gradient.hpp"
#include "solve/sparse_iterate.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
SolveInfo jacobi(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("cg");
    const Context context{options.threads, monitor};
    const ScaledMatrix scaled(problem.matrix, context);
    SparseIterate iterate(problem, scaled, std::make_unique<Identity>(problem.unknowns()), context);
    SolveInfo info = conjugate_gradient(iterate, problem.unknowns(), caution_of(problem), options, x, monitor);
    info.solver = Solver::conjugate_gradient;
    return info;
}

}  // namespace trimatte
