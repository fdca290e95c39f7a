// Conjugate gradients with Jacobi's preconditioner; letters as in Saad, Iterative Methods for Sparse Linear Systems,
// 2nd ed., Algorithm 9.1.
#include <algorithm>
#include <cmath>
#include <limits>

#include "trimatte/parallel.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

SolveInfo conjugate_gradient(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Csr& A = problem.matrix;
    const std::int64_t n = problem.unknowns();
    const double* b = problem.rhs.data();
    monitor.phase("cg");
    Buffer<double> inverse(n), r(n), z(n), p(n), q(n);
    const auto sum = [&](const auto& term) {
        return parallel_sum(n, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
            double s = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                s += term(i);
            }
            return s;
        });
    };

    // Norms are those of D^-1 b and D^-1 r, as a large confidence of some pixels would else hide all others.
    const auto squared = [](double value) { return value * value; };
    const double b_norm = std::sqrt(sum([&](std::int64_t i) {
        inverse[i] = 1 / A.value[A.diagonal(i)];
        return squared(inverse[i] * b[i]);
    }));
    if (b_norm == 0) {  // nothing unknown meets any foreground
        std::fill(x, x + n, 0.0);
    }
    multiply(A, x, q.data(), options.threads, monitor);
    double r_norm = std::sqrt(sum([&](std::int64_t i) {
        r[i] = b[i] - q[i];
        return squared(inverse[i] * r[i]);
    }));
    const double first_norm = r_norm;
    const double goal = options.relative_residual * (problem.rhs_norm > 0 ? problem.rhs_norm : b_norm);

    double rz = 0;
    std::int64_t iteration = 0;
    bool healthy = true;
    while (r_norm > goal && iteration < options.max_iterations) {
        const double old_rz = rz;
        rz = sum([&](std::int64_t i) {
            z[i] = inverse[i] * r[i];
            return z[i] * r[i];
        });
        const double beta = iteration == 0 ? 0 : rz / old_rz;
        parallel_ranges(n, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                p[i] = iteration == 0 ? z[i] : z[i] + beta * p[i];
            }
        });
        multiply(A, p.data(), q.data(), options.threads, monitor);
        const double pq = sum([&](std::int64_t i) { return p[i] * q[i]; });
        const double alpha = rz / pq;
        if (!(pq > 0) || !std::isfinite(alpha)) {
            healthy = false;
            break;
        }
        r_norm = std::sqrt(sum([&](std::int64_t i) {
            x[i] += alpha * p[i];
            r[i] -= alpha * q[i];
            return squared(inverse[i] * r[i]);
        }));
        ++iteration;
        if (!std::isfinite(r_norm)) {
            healthy = false;
            break;
        }
        // Progress on the logarithmic scale on which the residual falls.
        const double done = std::log(r_norm / first_norm) / std::log(goal / first_norm);
        monitor.set_fraction(std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0);
        monitor.poll();
    }
    // The residual that the iterations carry along drifts from the true one once rounding takes over.
    const double residual = relative_residual(problem, x, options.threads, monitor);
    monitor.finish();
    return {Solver::conjugate_gradient,
            healthy && r_norm <= goal && residual * b_norm <= 1.01 * goal,
            iteration,
            residual,
            std::numeric_limits<double>::quiet_NaN(),
            inverse.bytes() + r.bytes() + z.bytes() + p.bytes() + q.bytes()};
}

}  // namespace trimatte
