// Solves systems of graphs by conjugate gradients: with two levels where these are enough, else
// with all levels of the multigrid for graphs.
#include "trimatte/solve.hpp"

#include <algorithm>
#include <optional>

#include "base/each.hpp"
#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/sparse_iterate.hpp"

namespace trimatte {

// The vectors are those of the problem times D^1/2. 0.5, the middle of the range, is subtracted from
// colours, so that they differ more from the constant.
Buffer<float> near_null(const Problem& problem, const Buffer<double>& scale, const Context& context) {
    const std::int64_t n = problem.unknowns();
    Buffer<float> N((1 + problem.channels) * n);
    each(n, context, [&](std::int64_t i) {
        N[i] = static_cast<float>(1 / scale[i]);
        for (int c = 0; c < problem.channels; ++c) {
            N[(c + 1) * n + i] = static_cast<float>((problem.colours[c * n + i] - 0.5) / scale[i]);
        }
    });
    return N;
}

namespace {

// After this number of iterations with two levels, all levels would have been faster.
constexpr std::int64_t patience = 40;
// If a smaller Ritz value is found, two levels would need more iterations.
constexpr double least_ritz = 0.025;

// Solves by deflation: the coarser level has one unknown for each aggregate and is solved exactly.
// This needs about twice the iterations of all levels, each at a fifth of the cost, and a quarter
// of the set-up. Returns nothing where it does not apply. Its info says whether it was enough.
std::optional<SolveInfo> two_levels(const Problem& problem, const ScaledMatrix& scaled, const SolveOptions& options,
                                    double* x, Monitor& monitor) {
    if (problem.channels > 0) {
        return std::nullopt;
    }
    const Context context{options.threads, monitor};
    std::unique_ptr<Deflation> deflation = Deflation::make(problem.matrix, context);
    if (!deflation) {
        return std::nullopt;
    }
    SolveOptions own = options;
    own.max_iterations = std::min(patience, options.max_iterations);
    Caution caution = caution_of(problem);
    caution.least_ritz = least_ritz;
    return solve_sparse(problem, scaled, make_jacobi(scaled, context), std::move(deflation), caution, own, x, monitor);
}

SolveInfo all_levels(const Problem& problem, const ScaledMatrix& scaled, const SolveOptions& options, double* x,
                     Monitor& monitor) {
    const Context context{options.threads, monitor};
    const int columns = 1 + problem.channels;
    std::unique_ptr<Preconditioner> multigrid =
        make_graph_multigrid(scaled, near_null(problem, scaled.scale, context), columns, context);
    return solve_sparse(problem, scaled, std::move(multigrid), nullptr, caution_of(problem), options, x, monitor);
}

}  // namespace

SolveInfo graph_multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("hierarchy");
    const ScaledMatrix scaled(problem.matrix, {options.threads, monitor});
    std::optional<SolveInfo> info = two_levels(problem, scaled, options, x, monitor);
    if (!info || (!info->converged && info->iterations < options.max_iterations)) {
        const std::int64_t before = info ? info->iterations : 0;
        const std::size_t bytes = info ? info->peak_bytes : 0;
        SolveOptions rest = options;
        rest.max_iterations -= before;
        monitor.phase("hierarchy");
        info = all_levels(problem, scaled, rest, x, monitor);
        info->iterations += before;
        info->peak_bytes = std::max(info->peak_bytes, bytes);
    }
    info->solver = Solver::graph_multigrid;
    return *info;
}

}  // namespace trimatte
