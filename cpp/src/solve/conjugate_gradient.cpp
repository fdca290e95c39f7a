// Preconditioned conjugate gradients; letters as in Saad, Iterative Methods for Sparse Linear Systems, 2nd ed.,
// Algorithm 9.1, but for beta, which is Polak and Ribiere's: it forgives a preconditioner that is not exactly
// symmetric.
#include "conjugate_gradient.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

class Jacobi : public Preconditioner {
public:
    Jacobi(const Csr& matrix, int threads, Monitor& monitor)
        : inverse_(matrix.rows), threads_(threads), monitor_(monitor) {
        for (std::int64_t i = 0; i < matrix.rows; ++i) {
            inverse_[i] = 1 / matrix.value[matrix.diagonal(i)];
        }
    }
    void apply(const double* r, double* z) override {
        parallel_ranges(inverse_.size(), threads_, monitor_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                z[i] = inverse_[i] * r[i];
            }
        });
    }
    std::size_t bytes() const override { return inverse_.bytes(); }

private:
    Buffer<double> inverse_;
    int threads_;
    Monitor& monitor_;
};

// The smallest eigenvalue of M^-1 A that the iterations have seen: of the tridiagonal matrix of their coefficients.
class SmallestRitzValue {
public:
    // Coefficients of iteration k: x += alpha p, then p = z + beta p.
    void add(double alpha, double beta) {
        diagonal_.push_back(1 / alpha + carry_);
        off_diagonal_.push_back(std::sqrt(std::max(beta, 0.0)) / alpha);
        carry_ = beta / alpha;
    }
    double value() const {
        const auto n = static_cast<Eigen::Index>(diagonal_.size());
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
        solver.computeFromTridiagonal(Eigen::Map<const Eigen::VectorXd>(diagonal_.data(), n),
                                      Eigen::Map<const Eigen::VectorXd>(off_diagonal_.data(), n - 1),
                                      Eigen::EigenvaluesOnly);
        return solver.eigenvalues()[0];
    }

private:
    std::vector<double> diagonal_, off_diagonal_;
    double carry_ = 0;
};

}  // namespace

SolveInfo preconditioned_cg(const Problem& problem, const SolveOptions& options, const Goal& goal,
                            Preconditioner& preconditioner, double* x, Monitor& monitor) {
    const Csr& A = problem.matrix;
    const std::int64_t n = problem.unknowns();
    const double* b = problem.rhs.data();
    monitor.phase("cg");
    Buffer<double> r(n), z(n), p(n), q(n);
    const auto sum = [&](const auto& term) {
        return parallel_sum(n, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
            double s = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                s += term(i);
            }
            return s;
        });
    };
    const auto largest_step = [&] {  // max |z|; the order of a maximum does not matter
        double largest = 0;
        for (std::int64_t i = 0; i < n; ++i) {
            largest = std::max(largest, std::abs(z[i]));
        }
        return largest;
    };

    const double b_norm = std::sqrt(sum([&](std::int64_t i) { return b[i] * b[i]; }));
    if (b_norm == 0) {  // nothing unknown meets any foreground
        std::fill(x, x + n, 0.0);
    }
    multiply(A, x, q.data(), options.threads, monitor);
    double r_norm = std::sqrt(sum([&](std::int64_t i) {
        r[i] = b[i] - q[i];
        return r[i] * r[i];
    }));
    const double first_norm = r_norm;

    SmallestRitzValue ritz;
    double estimate = r_norm == 0 ? 0 : std::numeric_limits<double>::infinity();
    double first_estimate = 0;
    double alpha = 0, rz = 0;
    std::int64_t iteration = 0;
    bool healthy = true;
    const double residual_goal = goal.relative_residual * (problem.rhs_norm > 0 ? problem.rhs_norm : b_norm);
    const auto reached = [&] { return goal.error > 0 ? estimate <= goal.error : r_norm <= residual_goal; };
    while (!reached() && iteration < options.max_iterations) {
        preconditioner.apply(r.data(), z.data());
        // Polak-Ribiere: z . (r - r_old) / rz_old, where r - r_old = -alpha q.
        const double beta = iteration == 0 ? 0 : -alpha * sum([&](std::int64_t i) { return z[i] * q[i]; }) / rz;
        rz = sum([&](std::int64_t i) { return z[i] * r[i]; });
        if (iteration > 0) {
            ritz.add(alpha, beta);
            if (goal.error > 0) {
                estimate = largest_step() / ritz.value();
                first_estimate = first_estimate == 0 ? estimate : first_estimate;
                if (reached()) {
                    break;
                }
            }
        }
        if (!(rz > 0)) {
            healthy = false;
            break;
        }
        parallel_ranges(n, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                p[i] = iteration == 0 ? z[i] : z[i] + beta * p[i];
            }
        });
        multiply(A, p.data(), q.data(), options.threads, monitor);
        const double pq = sum([&](std::int64_t i) { return p[i] * q[i]; });
        if (!(pq > 0) || !std::isfinite(rz / pq)) {
            healthy = false;
            break;
        }
        alpha = rz / pq;
        r_norm = std::sqrt(sum([&](std::int64_t i) {
            x[i] += alpha * p[i];
            r[i] -= alpha * q[i];
            return r[i] * r[i];
        }));
        ++iteration;
        if (!std::isfinite(r_norm)) {
            healthy = false;
            break;
        }
        if (r_norm == 0) {
            estimate = 0;
        }
        // Progress on the logarithmic scale on which the error falls.
        const double done = goal.error > 0 ? std::log(estimate / first_estimate) / std::log(goal.error / first_estimate)
                                           : std::log(r_norm / first_norm) / std::log(residual_goal / first_norm);
        monitor.set_fraction(std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0);
        monitor.poll();
    }
    // The residual that the iterations carry along drifts from the true one once rounding takes over.
    const double residual = relative_residual(problem, x, options.threads, monitor);
    const bool confirmed = goal.error > 0 || residual * b_norm <= 1.01 * residual_goal;
    monitor.finish();
    return {Solver::conjugate_gradient,
            healthy && reached() && confirmed,
            iteration,
            residual,
            goal.error > 0 ? estimate : std::numeric_limits<double>::quiet_NaN(),
            preconditioner.bytes() + r.bytes() + z.bytes() + p.bytes() + q.bytes()};
}

SolveInfo conjugate_gradient(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("cg");
    Jacobi jacobi(problem.matrix, options.threads, monitor);
    return preconditioned_cg(problem, options, {options.relative_residual, 0}, jacobi, x, monitor);
}

}  // namespace trimatte
