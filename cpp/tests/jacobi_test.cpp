#include <doctest/doctest.h>

#include <algorithm>

#include "reference/dense_solve.hpp"
#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

Problem matting_problem() {
    const Picture image = random_picture(17, 23, 3);
    const std::vector<Label> labels = columns_known(17, 23);
    Monitor monitor;
    return closed_form(image.view(), labels.data(), {1e-3, 1, 1}, monitor);
}

SolveOptions stop_at(double relative_residual, std::int64_t max_iterations = 10000, int threads = 1) {
    return {Solver::conjugate_gradient, relative_residual, max_iterations, threads};
}

}  // namespace

TEST_CASE("the solution is that of a dense LDLT") {
    const Problem problem = matting_problem();
    const Eigen::MatrixXd A = dense(problem.matrix);
    const Eigen::VectorXd b = dense(problem.rhs);
    Eigen::VectorXd x = Eigen::VectorXd::Zero(problem.unknowns());
    Monitor monitor;
    const SolveInfo info = jacobi(problem, stop_at(1e-12), x.data(), monitor);
    CHECK(info.solver == Solver::conjugate_gradient);
    CHECK(info.converged);
    CHECK(info.iterations > 0);
    CHECK((x - dense_solve(A, b)).cwiseAbs().maxCoeff() < 1e-7);
}

TEST_CASE("it stops at the residual asked for, and says what it reached") {
    const Problem problem = matting_problem();
    const Eigen::MatrixXd A = dense(problem.matrix);
    const Eigen::VectorXd b = dense(problem.rhs);
    std::int64_t iterations = 0;
    for (const double asked : {1e-7, 1e-9, 1e-11, 1e-13}) {
        Eigen::VectorXd x = Eigen::VectorXd::Zero(problem.unknowns());
        Monitor monitor;
        const SolveInfo info = jacobi(problem, stop_at(asked), x.data(), monitor);
        const Eigen::ArrayXd D = A.diagonal();
        const double residual = ((b - A * x).array() / D).matrix().norm() / (b.array() / D).matrix().norm();
        CHECK(info.converged);
        CHECK(residual <= asked * 1.001);
        CHECK(info.relative_residual == doctest::Approx(residual).epsilon(1e-3));
        CHECK(info.iterations > iterations);
        iterations = info.iterations;
    }
}

TEST_CASE("unknowns of a large weight do not hide the others") {
    const Picture image = random_picture(17, 23, 3);
    const std::vector<Label> labels = columns_known(17, 23);
    std::vector<float> alpha(17 * 23, 1), confidence(17 * 23, 0);
    std::fill(confidence.begin() + 8 * 23, confidence.begin() + 9 * 23, 1e9f);
    ClosedFormOptions options{1e-3, 1, 1};
    options.prior = {alpha.data(), confidence.data()};
    Monitor monitor;
    for (const bool soft : {false, true}) {
        const Problem problem = soft ? closed_form_soft(image.view(), labels.data(), 100, options, monitor)
                                     : closed_form(image.view(), labels.data(), options, monitor);
        Eigen::VectorXd x = Eigen::VectorXd::Zero(problem.unknowns());
        const SolveInfo info = jacobi(problem, stop_at(1e-9), x.data(), monitor);
        CHECK(info.converged);
        CHECK((x - dense_solve(dense(problem.matrix), dense(problem.rhs))).cwiseAbs().maxCoeff() < 1e-6);
    }
}

TEST_CASE("it says when it has not converged") {
    const Problem problem = matting_problem();
    Eigen::VectorXd x = Eigen::VectorXd::Zero(problem.unknowns());
    Monitor monitor;
    const SolveInfo info = jacobi(problem, stop_at(1e-12, 3), x.data(), monitor);
    CHECK_FALSE(info.converged);
    CHECK(info.iterations == 3);
    CHECK(info.relative_residual > 1e-12);
}

TEST_CASE("it starts from the x given") {
    const Problem problem = matting_problem();
    const Eigen::MatrixXd A = dense(problem.matrix);
    const Eigen::VectorXd b = dense(problem.rhs);
    Eigen::VectorXd x = dense_solve(A, b);
    Monitor monitor;
    const SolveInfo info = jacobi(problem, stop_at(1e-8), x.data(), monitor);
    CHECK(info.converged);
    CHECK((x - dense_solve(A, b)).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("without a residual asked for, the error of alpha is what was promised") {
    const Problem problem = matting_problem();
    const Eigen::VectorXd exact = dense_solve(dense(problem.matrix), dense(problem.rhs));
    for (const double tolerance : {1e-2, 1e-3, 1e-5, 1e-7}) {
        Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
        Monitor monitor;
        SolveOptions options = stop_at(0);
        options.tolerance = tolerance;
        const SolveInfo info = jacobi(problem, options, x.data(), monitor);
        CHECK(info.converged);
        CHECK(info.error_estimate <= tolerance);
        CHECK((x - exact).cwiseAbs().maxCoeff() <= tolerance);
    }
}

TEST_CASE("a region that meets only background is zero") {
    const Picture image = random_picture(17, 23, 3);
    std::vector<Label> labels = columns_known(17, 23);
    std::replace(labels.begin(), labels.end(), Label::foreground, Label::background);
    Monitor monitor;
    const Problem problem = closed_form(image.view(), labels.data(), {1e-3, 1, 1}, monitor);
    Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
    const SolveInfo info = jacobi(problem, stop_at(1e-7), x.data(), monitor);
    CHECK(info.converged);
    CHECK(x.cwiseAbs().maxCoeff() < 1e-6);
    CHECK(info.relative_residual <= 1e-7);
}

TEST_CASE("the result has the same bits for any number of threads") {
    // The unknowns fill three pieces, so that sums have an order to keep.
    const Picture image = random_picture(160, 130, 3);
    const std::vector<Label> labels = columns_known(160, 130);
    Monitor monitor;
    const Problem problem = closed_form(image.view(), labels.data(), {1e-3, 1, 1}, monitor);
    Eigen::VectorXd first;
    for (const int threads : {1, 2, 7}) {
        Eigen::VectorXd x = Eigen::VectorXd::Zero(problem.unknowns());
        jacobi(problem, stop_at(1e-12, 20, threads), x.data(), monitor);
        first = threads == 1 ? x : first;
        CHECK(same_bits(x, first));
    }
}

TEST_CASE("a stop is heard") {
    const Problem problem = matting_problem();
    Eigen::VectorXd x = Eigen::VectorXd::Zero(problem.unknowns());
    StopsIn monitor("cg");
    // No residual is that small, so the solve would go on for minutes.
    CHECK_THROWS_AS(jacobi(problem, stop_at(1e-300, std::int64_t{1} << 40), x.data(), monitor), Cancelled);
}
