#include "solve/deflation.hpp"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <algorithm>
#include <utility>

#include "reference/dense_solve.hpp"
#include "support.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// A ring of n unknowns, each of which is coupled to the next `neighbours` ones with random weights
// and, if `pull` is positive, one in fifty to a known value. The unknowns lie in one row of a
// picture.
Problem ring(std::int64_t n, std::int64_t neighbours, double pull) {
    std::vector<double> weight(static_cast<std::size_t>(n * neighbours));
    Random random(5);
    for (double& w : weight) {
        w = 0.5 + random();
    }
    const auto of = [&](std::int64_t i, std::int64_t step) {
        return weight[static_cast<std::size_t>((i + n) % n * neighbours + step - 1)];
    };
    Rows rows;
    std::vector<double> rhs;
    for (std::int64_t i = 0; i < n; ++i) {
        std::map<std::int64_t, double> row;
        double sum = i % 50 == 0 ? pull : 0;
        for (std::int64_t step = 1; step <= neighbours; ++step) {
            row[(i + step) % n] = -of(i, step);
            row[(i - step + n) % n] = -of(i - step, step);
            sum += of(i, step) + of(i - step, step);
        }
        row[i] = sum;
        rows.push_back(row);
        rhs.push_back(i % 100 == 0 ? pull : 0);
    }
    return problem_from(rows, rhs);
}

Eigen::MatrixXd dense_Z(const Deflation& deflation) {
    const Buffer<std::int32_t>& of = deflation.aggregates();
    Eigen::MatrixXd Z = Eigen::MatrixXd::Zero(of.size(), 1 + *std::max_element(of.begin(), of.end()));
    for (std::int64_t i = 0; i < of.size(); ++i) {
        if (of[i] >= 0) {
            Z(i, of[i]) = 1;
        }
    }
    return Z;
}

}  // namespace

TEST_CASE("the corrections are those of dense matrices") {
    constexpr std::int64_t n = 600;
    const Problem problem = ring(n, 8, 1);
    Monitor monitor;
    const Context context{1, monitor};
    const auto deflation = Deflation::make(problem.matrix, context);
    REQUIRE(deflation);
    const Eigen::MatrixXd A = dense(problem.matrix), Z = dense_Z(*deflation);
    const Eigen::MatrixXd Q = Z * (Z.transpose() * A * Z).inverse() * Z.transpose();
    CHECK(Z.cols() <= n / 8);
    CHECK(Z.rowwise().sum().minCoeff() == 1);  // each unknown belongs to one aggregate
    Random random(2);
    Eigen::VectorXd x(n), z(n);
    for (std::int64_t i = 0; i < n; ++i) {
        x(i) = random();
        z(i) = random();
    }
    const Eigen::VectorXd b = dense(problem.rhs), r = b - A * x, expected = x + Q * r;
    Eigen::VectorXd new_r = r, new_x = x;
    deflation->correct(new_r.data(), new_x.data(), context);
    CHECK((new_x - expected).cwiseAbs().maxCoeff() < 1e-10);
    CHECK((new_r - (b - A * expected)).cwiseAbs().maxCoeff() < 1e-10);
    CHECK((Z.transpose() * new_r).cwiseAbs().maxCoeff() < 1e-10);
    Eigen::VectorXd w = A * z, projected = z;
    const Eigen::VectorXd expected_z = z - Q * w;
    deflation->prepare(w.data(), context);
    for (std::int64_t i = 0; i < n; ++i) {
        deflation->project(i, projected(i), w(i));
    }
    CHECK((projected - expected_z).cwiseAbs().maxCoeff() < 1e-10);
    CHECK((w - A * expected_z).cwiseAbs().maxCoeff() < 1e-10);
}

TEST_CASE("two levels take few iterations where a diagonal preconditioner takes many, and keep the promise") {
    const Problem problem = ring(1200, 10, 0.01);
    const Eigen::VectorXd exact = dense_solve(dense(problem.matrix), dense(problem.rhs));
    for (const double tolerance : {1e-3, 1e-6}) {
        SolveOptions options;
        options.tolerance = tolerance;
        Monitor monitor;
        Eigen::VectorXd x = Eigen::VectorXd::Constant(1200, 0.5), slow = x;
        const SolveInfo info = graph_multigrid(problem, options, x.data(), monitor);
        CHECK(info.converged);
        CHECK(info.iterations < 40);
        CHECK((x - exact).cwiseAbs().maxCoeff() < tolerance);
        CHECK(jacobi(problem, options, slow.data(), monitor).iterations > 2 * info.iterations);
    }
}

TEST_CASE("the result has the same bits for any number of threads") {
    const Problem problem = ring(50000, 8, 1);
    Eigen::VectorXd first;
    for (const int threads : {1, 2, 7}) {
        SolveOptions options;
        options.threads = threads;
        Monitor monitor;
        Eigen::VectorXd x = Eigen::VectorXd::Constant(50000, 0.5);
        graph_multigrid(problem, options, x.data(), monitor);
        first = threads == 1 ? x : first;
        CHECK(same_bits(x, first));
    }
}

TEST_CASE("a residual that is asked for is reached") {
    const Problem problem = ring(1000, 8, 1);
    Monitor monitor;
    Eigen::VectorXd x = Eigen::VectorXd::Zero(1000);
    const SolveInfo info = graph_multigrid(problem, {Solver::graph_multigrid, 1e-11}, x.data(), monitor);
    CHECK(info.converged);
    CHECK(relative_residual(problem, x.data(), 1, monitor) < 1.01e-11);
    CHECK((x - dense_solve(dense(problem.matrix), dense(problem.rhs))).cwiseAbs().maxCoeff() < 1e-8);
}

TEST_CASE("nothing is deflated where the system is singular, or its rows are short") {
    Monitor monitor;
    const Problem singular = ring(2000, 8, 0), narrow = ring(2000, 1, 1);
    CHECK_FALSE(Deflation::make(singular.matrix, {1, monitor}));
    CHECK_FALSE(Deflation::make(narrow.matrix, {1, monitor}));
}

TEST_CASE("a system with too many slow modes goes to all levels") {
    // The square of the matrix has the squares of its eigenvalues.
    const Problem root = ring(800, 4, 1);
    const Eigen::MatrixXd A = dense(root.matrix);
    Problem problem = problem_from(A * A, dense(root.rhs));
    problem.reach = 0;
    Monitor monitor;
    Eigen::VectorXd x = Eigen::VectorXd::Constant(800, 0.5);
    const SolveInfo info = graph_multigrid(problem, {}, x.data(), monitor);
    CHECK(info.converged);
    CHECK((x - dense_solve(A * A, dense(root.rhs))).cwiseAbs().maxCoeff() < 1e-3);
}
