// Solves systems of graphs by conjugate gradients: with two levels where these are enough, else
// with all levels of the multigrid for graphs.
#include "trimatte/solve.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "base/each.hpp"
#include "solve/graph_multigrid/anchored_rows.hpp"
#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/promise.hpp"
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

// Solves one matrix for one right-hand side after another: with two levels where these are enough,
// else with all levels.
class GraphSolve {
public:
    // The problem's matrix is `scaled`. The right-hand side is that of the problem at each solve.
    GraphSolve(const Problem& problem, const ScaledMatrix& scaled, const SolveOptions& options, Monitor& monitor)
        : problem_(problem), scaled_(scaled), options_(options), monitor_(monitor) {}

    // is_rough: the caller improves x later, so that no mode has to be found.
    SolveInfo solve(double* x, double tolerance, std::int64_t max_iterations, bool is_rough = false) {
        options_.tolerance = tolerance;
        Caution caution = caution_of(problem_);
        caution.tolerance_at_most = is_rough ? tolerance : caution.tolerance_at_most;
        SolveInfo info{Solver::graph_multigrid, false, 0, 1, 0, 0};
        if (!has_all_levels_ && make_two_levels()) {
            Caution own = caution;
            own.least_ritz = least_ritz;
            info = run(x, own, std::min(patience, max_iterations));
            if (info.converged || info.iterations >= max_iterations) {
                return info;
            }
        }
        make_all_levels();
        const SolveInfo before = info;
        info = run(x, caution, max_iterations - before.iterations);
        info.iterations += before.iterations;
        info.peak_bytes = std::max(info.peak_bytes, before.peak_bytes);
        return info;
    }

private:
    // Deflation: the coarser level has one unknown for each aggregate and is solved exactly. This
    // needs about twice the iterations of all levels, each at a fifth of the cost, and a quarter of
    // the set-up. Returns false where it does not apply.
    bool make_two_levels() {
        if (iterate_) {
            return true;
        }
        const Context context{options_.threads, monitor_};
        std::unique_ptr<Deflation> deflation;
        if (problem_.channels == 0) {
            monitor_.phase("hierarchy");
            deflation = Deflation::make(problem_.matrix, context);
        }
        if (deflation) {
            iterate_ =
                make_sparse_iterate(problem_, scaled_, make_jacobi(scaled_, context), std::move(deflation), context);
        }
        return iterate_ != nullptr;
    }

    void make_all_levels() {
        if (has_all_levels_) {
            return;
        }
        monitor_.phase("hierarchy");
        iterate_ = nullptr;
        noise_.reset();
        const Context context{options_.threads, monitor_};
        const int columns = 1 + problem_.channels;
        iterate_ = make_sparse_iterate(
            problem_, scaled_,
            make_graph_multigrid(scaled_, near_null(problem_, scaled_.scale, context), columns, {}, context), nullptr,
            context);
        has_all_levels_ = true;
    }

    SolveInfo run(double* x, const Caution& caution, std::int64_t max_iterations) {
        monitor_.phase("cg");
        // Noise in which all modes have shown serves all right-hand sides.
        if (noise_ && noise_->is_gone) {
            noise_->largest = 0;
        } else {
            noise_ = solve_noise(*iterate_, problem_.unknowns());
        }
        options_.max_iterations = max_iterations;
        return conjugate_gradient(*iterate_, *noise_, caution, options_, x, monitor_);
    }

    const Problem& problem_;
    const ScaledMatrix& scaled_;
    SolveOptions options_;
    Monitor& monitor_;
    std::unique_ptr<Iterate> iterate_;
    std::optional<Noise> noise_;
    bool has_all_levels_ = false;
};

// Solves a system most of whose rows are anchored. Returns nothing where it does not apply. Its info
// says whether the promise is kept; otherwise x is as near the solution as the iterations came.
std::optional<SolveInfo> without_anchored_rows(const Problem& problem, const SolveOptions& options, double* x,
                                               Monitor& monitor) {
    constexpr int rounds = 8;
    // The parts of the tolerance that the reduced solve and rho may take.
    constexpr double error_factor = graph::AnchoredRows::error_factor, of_rho = 0.25;
    constexpr double of_solve = (1 - of_rho) / error_factor;
    // The tolerance of the first solve, and how much smaller that of the next one is. Each round
    // divides rho by 15 to 60, so that an early solve needs no more.
    constexpr double first_tolerance = 0.03, step = 10;
    const Context context{options.threads, monitor};
    const auto rows = options.relative_residual > 0 ? nullptr : graph::AnchoredRows::make(problem, context);
    if (!rows) {
        return std::nullopt;
    }
    const Problem& reduced = rows->reduced();
    const ScaledMatrix reduced_scaled(reduced.matrix, context);
    GraphSolve graph(reduced, reduced_scaled, options, monitor);
    Buffer<double> unknowns(reduced.unknowns());
    rows->start(x, context);
    rows->get(x, unknowns.data(), context);
    SolveInfo info{Solver::graph_multigrid, false, 0, 1, 0, 0};
    double tolerance = first_tolerance;
    for (int round = 0; round < rounds && !info.converged; ++round, tolerance /= step) {
        const std::int64_t iterations_left = options.max_iterations - info.iterations;
        if (round > 0 && iterations_left <= 0) {
            break;
        }
        rows->prepare(x, context);
        const bool is_rough = tolerance > of_solve * options.tolerance;
        const SolveInfo own = graph.solve(unknowns.data(), is_rough ? tolerance : of_solve * options.tolerance,
                                          iterations_left, is_rough);
        rows->set(unknowns.data(), x, context);
        info.iterations += own.iterations;
        info.peak_bytes = std::max(info.peak_bytes, own.peak_bytes);
        info.operator_complexity = own.operator_complexity;
        if (round == 0 && is_rough && own.converged && own.iterations < iterations_left) {
            continue;  // sweeps would follow the errors of the free unknowns
        }
        const double rho = rows->measure(x, context);
        info.error_estimate = rho + error_factor * own.error_estimate;
        if (!own.converged) {
            break;
        }
        info.converged = !is_rough && rho <= of_rho * options.tolerance;
        if (!info.converged && info.iterations < options.max_iterations) {
            rows->sweep(0.1 * of_rho * options.tolerance, x, context);
        }
    }
    info.relative_residual = rows->relative_residual(unknowns.data(), x, context);
    info.peak_bytes += rows->bytes() + unknowns.bytes();
    return info;
}

}  // namespace

SolveInfo graph_multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("hierarchy");
    const std::optional<SolveInfo> reduced = without_anchored_rows(problem, options, x, monitor);
    if (reduced && (reduced->converged || reduced->iterations >= options.max_iterations)) {
        return *reduced;
    }
    const std::int64_t before = reduced ? reduced->iterations : 0;
    const ScaledMatrix scaled(problem.matrix, {options.threads, monitor});
    GraphSolve graph(problem, scaled, options, monitor);
    SolveInfo info = graph.solve(x, options.tolerance, options.max_iterations - before);
    info.iterations += before;
    info.peak_bytes = std::max(info.peak_bytes, reduced ? reduced->peak_bytes : 0);
    info.solver = Solver::graph_multigrid;
    return info;
}

}  // namespace trimatte
