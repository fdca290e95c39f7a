// Conjugate gradients on a matrix that is given by its products.
#include <memory>

#include "solve/conjugate_gradient.hpp"
#include "solve/matrix_free_iterate.hpp"
#include "solve/two_level.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

SolveInfo matrix_free(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Context context{options.threads, monitor};
    const bool has_levels = options.solver != Solver::conjugate_gradient;
    monitor.phase("hierarchy");
    const Buffer<double> scale = scale_of(*problem.products, context);
    std::unique_ptr<Preconditioner> preconditioner = has_levels ? make_two_level(problem, scale, context) : nullptr;
    if (!preconditioner) {
        preconditioner = std::make_unique<Identity>(problem.unknowns());
    }
    MatrixFreeIterate iterate(problem, scale, std::move(preconditioner), context);
    monitor.phase("cg");
    SolveOptions own = options;
    own.relative_residual = has_levels ? 0 : options.relative_residual;
    SolveInfo info = conjugate_gradient(iterate, problem.unknowns(), caution_of(problem), own, x, monitor);
    info.solver = has_levels ? Solver::multigrid : Solver::conjugate_gradient;
    info.peak_bytes += scale.bytes();
    return info;
}

}  // namespace trimatte
