#include <doctest/doctest.h>

#include "support.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

TEST_CASE("small problems are factorised") {
    const Problem problem = problem_from(Eigen::MatrixXd::Identity(4, 4), Eigen::VectorXd::Ones(4));
    CHECK(choose(problem) == Solver::cholesky);
}

TEST_CASE("large problems with a stencil go to multigrid, large ones without to cg") {
    Problem problem;
    problem.rhs = Buffer<double>(10000);
    problem.reach = 2;
    CHECK(choose(problem) == Solver::multigrid);
    problem.reach = 4;
    CHECK(choose(problem) == Solver::cholesky);
    problem.matrix.column = Buffer<std::int32_t>(60 * 1000 * 1000);  // never touched
    CHECK(choose(problem) == Solver::conjugate_gradient);
}

TEST_CASE("solve runs the solver asked for") {
    const Problem problem = problem_from(2 * Eigen::MatrixXd::Identity(4, 4), Eigen::VectorXd::Ones(4));
    for (const auto& [asked, runs] :
         {std::pair{Solver::automatic, Solver::cholesky}, std::pair{Solver::cholesky, Solver::cholesky},
          std::pair{Solver::conjugate_gradient, Solver::conjugate_gradient}}) {
        Monitor monitor;
        Eigen::VectorXd x = Eigen::VectorXd::Zero(4);
        CHECK(solve(problem, {asked, 1e-12, 100, 1}, x.data(), monitor).solver == runs);
        CHECK((x - Eigen::VectorXd::Constant(4, 0.5)).norm() < 1e-12);
    }
}
