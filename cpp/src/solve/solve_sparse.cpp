// Conjugate gradients in float64 with the multigrid for graphs as preconditioner, on the matrix
// scaled to unit diagonal. Letters as in Saad, Iterative Methods for Sparse Linear Systems, 2nd
// ed., Algorithm 9.1; beta is Polak's and Ribiere's, which forgives that the preconditioner is
// symmetric up to rounding only.
#include "trimatte/solve_sparse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/ritz.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

// Part of the tolerance that the estimate has to fall to: the estimate may be three times too
// small.
constexpr double goal_share = 0.3;
// The smallest Ritz value means little before.
constexpr std::int64_t iterations_at_least = 4;

template <class Body>
void each(std::int64_t n, const Context& context, const Body& body) {
    parallel_ranges(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            body(i);
        }
    });
}

template <class Term>
double sum(std::int64_t n, const Context& context, const Term& term) {
    return parallel_sum(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        double s = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            s += term(i);
        }
        return s;
    });
}

[[noreturn]] void refuse(std::int64_t row, const char* wanted) {
    throw std::invalid_argument("matrix: expected " + std::string(wanted) + ", row " + std::to_string(row) +
                                " is different");
}

// scale = D^-1/2.
Buffer<double> scale_of(const Csr& A, const Context& context) {
    Buffer<double> scale(A.rows);
    each(A.rows, context, [&](std::int64_t i) {
        const std::int32_t* const begin = A.column.data() + A.row_start[i];
        const std::int32_t* const end = A.column.data() + A.row_start[i + 1];
        if (std::adjacent_find(begin, end, std::greater_equal<>()) != end) {
            refuse(i, "ascending columns in each row");
        }
        if (begin != end && (*begin < 0 || *(end - 1) >= A.rows)) {
            refuse(i, "columns within the matrix");
        }
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            if (!std::isfinite(A.value[k])) {
                refuse(i, "finite numbers");
            }
        }
        const std::int32_t* const diagonal = std::lower_bound(begin, end, static_cast<std::int32_t>(i));
        const double d = diagonal != end && *diagonal == i ? A.value[diagonal - A.column.data()] : 0;
        if (!(d > 0)) {
            refuse(i, "a positive diagonal");
        }
        scale[i] = 1 / std::sqrt(d);
    });
    return scale;
}

void scale_matrix(Csr& A, const Buffer<double>& scale, const Context& context) {
    each(A.rows, context, [&](std::int64_t i) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            A.value[k] = A.column[k] == i ? 1 : A.value[k] * scale[i] * scale[A.column[k]];
        }
    });
}

// One solve of A x = b, A with unit diagonal.
struct Iteration {
    const Csr& A;
    const double* b;
    const Buffer<double>& scale;  // of x, to the units of the caller
    const Context& context;
    Buffer<double> r{A.rows}, z{A.rows}, p{A.rows}, q{A.rows};

    // r = b - A x. Returns |D^-1 r| in the caller's units.
    double set_residual(const double* x) {
        multiply(A, x, q.data(), context.threads, context.monitor);
        return std::sqrt(sum(A.rows, context, [&](std::int64_t i) {
            r[i] = b[i] - q[i];
            return r[i] * scale[i] * (r[i] * scale[i]);
        }));
    }
    double largest_z() const {
        constexpr std::int64_t part = 65536;
        std::vector<double> largest(static_cast<std::size_t>((A.rows + part - 1) / part), 0.0);
        parallel_for(static_cast<std::int64_t>(largest.size()), context.threads, context.monitor, [&](std::int64_t k) {
            for (std::int64_t i = k * part; i < std::min(A.rows, (k + 1) * part); ++i) {
                largest[static_cast<std::size_t>(k)] =
                    std::max(largest[static_cast<std::size_t>(k)], std::abs(z[i]) * scale[i]);
            }
        });
        return largest.empty() ? 0 : *std::max_element(largest.begin(), largest.end());
    }
};

// Returns the number of iterations; estimate: of the largest error in the caller's units.
std::int64_t iterate(Iteration& it, Preconditioner& M, double goal, std::int64_t max_iterations, double* x,
                     double& estimate) {
    const std::int64_t n = it.A.rows;
    SmallestRitzValue ritz;
    double rz = 0, alpha = 0;
    std::int64_t k = 0;
    while (k < max_iterations) {
        M.apply(it.r.data(), it.z.data());
        const double zq = k == 0 ? 0 : sum(n, it.context, [&](std::int64_t i) { return it.z[i] * it.q[i]; });
        const double beta = k == 0 ? 0 : -alpha * zq / rz;  // z . (r - r_old) / rz_old
        rz = sum(n, it.context, [&](std::int64_t i) { return it.r[i] * it.z[i]; });
        if (k > 0) {
            ritz.add(alpha, beta);
            const double smallest = ritz.now();
            estimate = smallest > 0 ? it.largest_z() / smallest : estimate;
        }
        if (rz == 0 || (k >= iterations_at_least && estimate <= goal)) {
            estimate = rz == 0 ? 0 : estimate;
            break;
        }
        each(n, it.context, [&](std::int64_t i) { it.p[i] = k == 0 ? it.z[i] : it.z[i] + beta * it.p[i]; });
        multiply(it.A, it.p.data(), it.q.data(), it.context.threads, it.context.monitor);
        alpha = rz / sum(n, it.context, [&](std::int64_t i) { return it.p[i] * it.q[i]; });
        if (!(alpha > 0) || !std::isfinite(alpha)) {
            break;  // rounding has its way
        }
        each(n, it.context, [&](std::int64_t i) {
            x[i] += alpha * it.p[i];
            it.r[i] -= alpha * it.q[i];
        });
        ++k;
    }
    return k;
}

}  // namespace

SolveInfo solve_sparse(Csr&& A, const double* rhs, const float* near_null, int columns, double tolerance,
                       std::int64_t max_iterations, int threads, double* x, Monitor& monitor) {
    SolveInfo info{};
    with_team(threads, [&] {
        const Context context{threads, monitor};
        monitor.phase("hierarchy");
        const Buffer<double> scale = scale_of(A, context);
        scale_matrix(A, scale, context);
        Buffer<double> b(A.rows);
        Buffer<float> N(columns * A.rows);
        each(A.rows, context, [&](std::int64_t i) {
            b[i] = rhs[i] * scale[i];
            x[i] /= scale[i];
            for (int c = 0; c < columns; ++c) {
                N[c * A.rows + i] = static_cast<float>(near_null[c * A.rows + i] / scale[i]);
            }
        });
        const std::unique_ptr<Preconditioner> M = make_graph_multigrid(A, N, columns, context);
        monitor.phase("cg");
        Iteration iteration{A, b.data(), scale, context};
        const double goal = goal_share * tolerance;
        double estimate = std::numeric_limits<double>::infinity();
        iteration.set_residual(x);
        const std::int64_t iterations = iterate(iteration, *M, goal, max_iterations, x, estimate);
        const double residual = iteration.set_residual(x);
        const double whole =
            std::sqrt(sum(A.rows, context, [&](std::int64_t i) { return b[i] * scale[i] * (b[i] * scale[i]); }));
        each(A.rows, context, [&](std::int64_t i) { x[i] *= scale[i]; });
        monitor.finish();
        info = {Solver::multigrid,
                estimate <= goal,
                iterations,
                residual == 0 ? 0 : residual / whole,
                estimate,
                A.bytes() + M->bytes() + N.bytes() + 6 * b.bytes(),
                M->operator_complexity()};
    });
    return info;
}

}  // namespace trimatte
