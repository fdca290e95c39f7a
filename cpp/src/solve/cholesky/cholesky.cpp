// The direct solution: an order with little fill, a multifrontal factorisation, two substitutions.
#include "solve/cholesky/cholesky.hpp"

#include <Eigen/OrderingMethods>
#include <Eigen/SparseCore>
#include <algorithm>
#include <limits>
#include <new>
#include <string>

#include "solve/cholesky/nested_dissection.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

// The largest relative residual that counts as solved. Rounding leaves up to 1e-6 where the picture
// has flat colours.
constexpr double residual_at_most = 1e-3;

}  // namespace

std::vector<std::int32_t> minimum_degree(const Csr& A) {
    if (A.nonzeros() > std::numeric_limits<std::int32_t>::max()) {
        throw FactorizationError("cholesky: expected at most 2147483647 entries in a matrix without geometry, got " +
                                 std::to_string(A.nonzeros()) + "; use another solver");
    }
    const auto n = static_cast<int>(A.rows);
    Eigen::SparseMatrix<signed char> pattern(n, n);
    pattern.resizeNonZeros(static_cast<int>(A.nonzeros()));
    std::copy_n(A.row_start.data(), n + 1, pattern.outerIndexPtr());
    std::copy_n(A.column.data(), A.nonzeros(), pattern.innerIndexPtr());
    std::fill_n(pattern.valuePtr(), A.nonzeros(), static_cast<signed char>(1));
    Eigen::PermutationMatrix<Eigen::Dynamic, Eigen::Dynamic, int> order;
    Eigen::AMDOrdering<int>()(pattern.selfadjointView<Eigen::Lower>(), order);
    return {order.indices().data(), order.indices().data() + n};
}

std::vector<std::int32_t> elimination_order(const Problem& problem, const Context& context) {
    return problem.reach > 0 ? nested_dissection(problem, context.monitor, context.threads)
                             : minimum_degree(problem.matrix);
}

SolveInfo cholesky(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Context context{options.threads, monitor};
    monitor.phase("ordering");
    const CholeskyPlan plan(problem.matrix, elimination_order(problem, context), monitor);
    const std::size_t needed = plan.peak_bytes(options.threads);
    if (needed > options.memory && options.gives_way) {
        return {Solver::cholesky, false, 0, 1.0, std::numeric_limits<double>::infinity(), 0};
    }
    if (needed > options.memory) {
        throw FactorizationError("cholesky: " + std::to_string(problem.unknowns()) + " unknowns need " +
                                 std::to_string(needed) + " bytes, and " + std::to_string(options.memory) +
                                 " are available; use another solver");
    }
    monitor.phase("factorisation");
    try {
        CholeskyStorage storage;
        const CholeskyFactor factor(plan, problem.matrix, context, storage, true);
        monitor.phase("substitution");
        std::copy_n(problem.rhs.data(), problem.unknowns(), x);
        factor.solve(x, context);
    } catch (const std::bad_alloc&) {
        throw FactorizationError("cholesky: the factor of " + std::to_string(problem.unknowns()) +
                                 " unknowns does not fit into memory: it needs " +
                                 std::to_string(plan.peak_bytes(options.threads)) + " bytes; use another solver");
    }
    const double residual = relative_residual(problem, x, options.threads, monitor);
    if (!(residual <= residual_at_most)) {
        throw FactorizationError("cholesky: expected a relative residual of at most 0.001, got " +
                                 std::to_string(residual) + "; the system is singular or badly scaled");
    }
    monitor.finish();
    return {Solver::cholesky, true, 0, residual, 0.0, plan.peak_bytes(options.threads)};
}

}  // namespace trimatte
