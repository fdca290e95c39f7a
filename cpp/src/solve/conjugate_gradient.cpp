// Conjugate gradients with the diagonal as preconditioner (Jacobi); letters as in Saad, Iterative Methods for
// Sparse Linear Systems, 2nd ed., Algorithm 9.1.
#include <algorithm>
#include <cmath>

#include "trimatte/parallel.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

Buffer<double> inverse_diagonal(const Csr& matrix) {
    Buffer<double> inverse(matrix.rows);
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        const std::int32_t* row = matrix.column.data() + matrix.row_start[i];
        const std::int32_t* row_end = matrix.column.data() + matrix.row_start[i + 1];
        inverse[i] = 1 / matrix.value[std::lower_bound(row, row_end, i) - matrix.column.data()];
    }
    return inverse;
}

}  // namespace

SolveInfo conjugate_gradient(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Csr& A = problem.matrix;
    const std::int64_t n = problem.unknowns();
    const double* b = problem.rhs.data();
    monitor.phase("cg");
    const Buffer<double> inverse = inverse_diagonal(A);
    Buffer<double> r(n), p(n), q(n);
    std::fill(p.begin(), p.end(), 0.0);

    const auto sum = [&](const std::function<double(std::int64_t, std::int64_t)>& body) {
        return parallel_sum(n, options.threads, monitor, body);
    };
    const auto dot = [&](const double* u, const double* v) {
        return sum([=](std::int64_t begin, std::int64_t end) {
            double s = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                s += u[i] * v[i];
            }
            return s;
        });
    };

    const double b_norm = std::sqrt(dot(b, b));
    if (b_norm == 0) {  // nothing unknown meets any foreground
        std::fill(x, x + n, 0.0);
    }
    multiply(A, x, q.data(), options.threads, monitor);
    for (std::int64_t i = 0; i < n; ++i) {
        r[i] = b[i] - q[i];
    }
    const double goal = options.relative_residual * b_norm;
    double r_norm = std::sqrt(dot(r.data(), r.data()));
    const double first_norm = r_norm;
    double rz_old = 0;
    std::int64_t iteration = 0;
    for (; r_norm > goal && iteration < options.max_iterations; ++iteration) {
        const double rz = sum([&](std::int64_t begin, std::int64_t end) {
            double s = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                s += r[i] * inverse[i] * r[i];
            }
            return s;
        });
        const double beta = iteration == 0 ? 0 : rz / rz_old;
        rz_old = rz;
        parallel_ranges(n, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                p[i] = inverse[i] * r[i] + beta * p[i];
            }
        });
        multiply(A, p.data(), q.data(), options.threads, monitor);
        const double alpha = rz / dot(p.data(), q.data());
        r_norm = std::sqrt(sum([&](std::int64_t begin, std::int64_t end) {
            double s = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                x[i] += alpha * p[i];
                r[i] -= alpha * q[i];
                s += r[i] * r[i];
            }
            return s;
        }));
        // Progress on the logarithmic scale on which the residual falls.
        monitor.set_fraction(std::clamp(std::log(r_norm / first_norm) / std::log(goal / first_norm), 0.0, 1.0));
        monitor.poll();
    }
    monitor.finish();
    const double reached = relative_residual(problem, x, options.threads, monitor);
    return {Solver::conjugate_gradient, r_norm <= goal, iteration, reached,
            inverse.bytes() + r.bytes() + p.bytes() + q.bytes()};
}

}  // namespace trimatte
