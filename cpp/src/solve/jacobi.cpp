// Conjugate gradients with the preconditioner of Jacobi, the inverse of the diagonal. This solver
// needs hundreds to thousands of iterations on matting systems, but no memory beyond its vectors.
#include "solve/conjugate_gradient.hpp"
#include "solve/sparse_iterate.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

SolveInfo jacobi(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Context context{options.threads, monitor};
    const ScaledMatrix scaled(problem.matrix, context);
    monitor.phase("cg");
    const auto iterate = make_sparse_iterate(problem, scaled, make_jacobi(scaled, context), nullptr, context);
    SolveInfo info = conjugate_gradient(*iterate, problem.unknowns(), caution_of(problem), options, x, monitor);
    info.solver = Solver::conjugate_gradient;
    return info;
}

}  // namespace trimatte
