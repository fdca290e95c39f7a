// Conjugate gradients with the multigrid for graphs as preconditioner.
#include "trimatte/solve.hpp"

#include "solve/conjugate_gradient.hpp"
#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/sparse_iterate.hpp"

namespace trimatte {

// The vectors are those of the problem times D^1/2. 0.5, the middle of the range, is subtracted from
// colours, so that they differ more from the constant.
Buffer<float> near_null(const Problem& problem, const Buffer<double>& scale, const Context& context) {
    const std::int64_t n = problem.unknowns();
    Buffer<float> N((1 + problem.channels) * n);
    parallel_ranges(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            N[i] = static_cast<float>(1 / scale[i]);
            for (int c = 0; c < problem.channels; ++c) {
                N[(c + 1) * n + i] = static_cast<float>((problem.colours[c * n + i] - 0.5) / scale[i]);
            }
        }
    });
    return N;
}

namespace {

SolveInfo solve_here(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Context context{options.threads, monitor};
    monitor.phase("hierarchy");
    const ScaledMatrix scaled(problem.matrix, context);
    const Buffer<float> N = near_null(problem, scaled.scale, context);
    SparseIterate iterate(problem, scaled, make_graph_multigrid(scaled.A, N, 1 + problem.channels, context), context);
    monitor.phase("cg");
    SolveInfo info = conjugate_gradient(iterate, problem.unknowns(), caution_of(problem), options, x, monitor);
    info.solver = Solver::graph_multigrid;
    return info;
}

}  // namespace

SolveInfo graph_multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    SolveOptions own = options;
    own.relative_residual = 0;
    return solve_here(problem, own, x, monitor);
}

}  // namespace trimatte
