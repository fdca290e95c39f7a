#include <doctest/doctest.h>

#include "reference/dense_solve.hpp"
#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

Eigen::VectorXd run(const Problem& problem) {
    Monitor monitor;
    Eigen::VectorXd x(problem.unknowns());
    const SolveInfo info = cholesky(problem, {}, x.data(), monitor);
    CHECK(info.solver == Solver::cholesky);
    CHECK(info.converged);
    CHECK(info.iterations == 0);
    CHECK(info.relative_residual < 1e-10);
    return x;
}

Eigen::VectorXd dense_solution(const Problem& problem) {
    return dense_solve(dense(problem.matrix), dense(problem.rhs));
}

}  // namespace

TEST_CASE("matting problems are solved as a dense LDLT does") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(17, 23, 3);
        const std::vector<Label> labels = columns_known(17, 23);
        Monitor monitor;
        SUBCASE("exact") {
            const Problem problem = closed_form(image.view(), labels.data(), {1e-3, radius, 1}, monitor);
            CHECK((run(problem) - dense_solution(problem)).cwiseAbs().maxCoeff() < 1e-9);
        }
        SUBCASE("soft") {
            const Problem problem = closed_form_soft(image.view(), labels.data(), 100, {1e-3, radius, 1}, monitor);
            CHECK((run(problem) - dense_solution(problem)).cwiseAbs().maxCoeff() < 1e-9);
        }
    }
}

TEST_CASE("a solution that rounding has spoilt is an error") {
    Eigen::MatrixXd A(2, 2);
    A << 3, 3 - 4e-15, 3 - 4e-15, 3;
    Eigen::VectorXd b(2);
    b << 1, -1;
    const Problem problem = problem_from(A, b);
    Monitor monitor;
    Eigen::VectorXd x(2);
    CHECK_THROWS_AS(cholesky(problem, {}, x.data(), monitor), FactorizationError);
}

TEST_CASE("small and degenerate systems") {
    SUBCASE("one unknown") {
        const Problem problem = problem_from(Eigen::MatrixXd::Constant(1, 1, 4), Eigen::VectorXd::Constant(1, 2));
        CHECK(run(problem)(0) == 0.5);
    }
    SUBCASE("a diagonal") {
        const Eigen::VectorXd d = Eigen::VectorXd::LinSpaced(9, 1, 9);
        const Problem problem = problem_from(d.asDiagonal(), d);
        CHECK((run(problem) - Eigen::VectorXd::Ones(9)).norm() < 1e-15);
    }
    SUBCASE("nothing on the right-hand side") {
        const Problem problem = problem_from(Eigen::MatrixXd::Identity(4, 4), Eigen::VectorXd::Zero(4));
        CHECK(run(problem).norm() == 0);
    }
}

TEST_CASE("a matrix that is not positive definite is refused") {
    Eigen::MatrixXd A(2, 2);
    SUBCASE("indefinite") { A << 1, 2, 2, 1; }
    SUBCASE("negative") { A << -1, 0, 0, -1; }
    SUBCASE("zero") { A.setZero(); }
    const Problem problem = problem_from(A, Eigen::VectorXd::Ones(2));
    Monitor monitor;
    double x[2];
    CHECK_THROWS_AS(cholesky(problem, {}, x, monitor), FactorizationError);
}

TEST_CASE("phases are timed") {
    const Problem problem = problem_from(Eigen::MatrixXd::Identity(4, 4), Eigen::VectorXd::Ones(4));
    Monitor monitor;
    double x[4];
    cholesky(problem, {}, x, monitor);
    REQUIRE(monitor.seconds().size() == 3);
    CHECK(monitor.seconds()[0].first == "ordering");
    CHECK(monitor.seconds()[1].first == "factorisation");
    CHECK(monitor.seconds()[2].first == "substitution");
}

TEST_CASE("a stop is heard during the factorisation") {
    // A dense matrix of this size takes a few tenths of a second to factorise: long enough to be asked.
    const int n = 1500;
    const Eigen::MatrixXd A = Eigen::MatrixXd::Ones(n, n) + n * Eigen::MatrixXd::Identity(n, n);
    const Problem problem = problem_from(A, Eigen::VectorXd::Ones(n));
    StopsIn monitor("factorisation");
    std::vector<double> x(n);
    CHECK_THROWS_AS(cholesky(problem, {}, x.data(), monitor), Cancelled);
    REQUIRE(monitor.seconds().size() == 1);  // the ordering: the factorisation was not finished
}
