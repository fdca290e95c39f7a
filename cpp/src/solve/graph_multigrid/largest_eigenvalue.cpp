// Estimates the largest eigenvalue of the matrix of a level by the method of Lanczos (Saad,
// Numerical Methods for Large Eigenvalue Problems, 2nd ed., Algorithm 6.5).
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "solve/graph_multigrid/hierarchy.hpp"

namespace trimatte::graph {
namespace {

constexpr int steps = 6;
// After this number of steps the value is up to 5 % below the true one. The cycle converges if the
// eigenvalue of its smoother is at most 25 % too small, or 4 % where the coarsest level is not
// factorised (cycle.cpp).
constexpr double safety = 1.08;

}  // namespace

double largest_eigenvalue(const MatrixView& A, const Context& context) {
    const std::int64_t n = A.rows;
    const auto ranges = ranges_of_rows(n, A.row_start);
    Buffer<float> v(n), before(n), w(n);
    const auto sum = [&](const auto& term) {
        return parallel_sum(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
            double s = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                s += term(i);
            }
            return s;
        });
    };
    double norm = std::sqrt(sum([&](std::int64_t i) {
        v[i] = Random(0, static_cast<std::uint64_t>(i)).uniform() - 0.5f;
        before[i] = 0;
        return static_cast<double>(v[i]) * v[i];
    }));
    std::vector<double> diagonal, off_diagonal;
    double beta = 0;
    for (int step = 0; step < steps && norm > 1e-6; ++step) {
        const auto inverse = static_cast<float>(1 / norm);
        parallel_ranges(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                v[i] *= inverse;
            }
        });
        for_ranges(ranges, context, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                w[i] = row_product(A, i, v.data()) - static_cast<float>(beta) * before[i];
            }
        });
        const double alpha = sum([&](std::int64_t i) { return static_cast<double>(w[i]) * v[i]; });
        diagonal.push_back(alpha);
        norm = std::sqrt(sum([&](std::int64_t i) {
            w[i] -= static_cast<float>(alpha) * v[i];
            return static_cast<double>(w[i]) * w[i];
        }));
        beta = norm;
        off_diagonal.push_back(beta);
        std::swap(before, v);
        std::swap(v, w);
    }
    const auto size = static_cast<Eigen::Index>(diagonal.size());
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
    solver.computeFromTridiagonal(Eigen::Map<const Eigen::VectorXd>(diagonal.data(), size),
                                  Eigen::Map<const Eigen::VectorXd>(off_diagonal.data(), size - 1),
                                  Eigen::EigenvaluesOnly);
    return safety * std::max(1.0, solver.eigenvalues()[size - 1]);
}

}  // namespace trimatte::graph
