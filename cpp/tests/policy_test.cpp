#include <doctest/doctest.h>

#include "support.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

TEST_CASE("small systems go to cholesky, larger ones to multigrid on the grid or on the graph") {
    CHECK(choose(100, 2) == Solver::cholesky);
    CHECK(choose(30000, 2) == Solver::multigrid);
    CHECK(choose(100, 4) == Solver::cholesky);
    CHECK(choose(10000, 4) == Solver::cholesky);
    CHECK(choose(10000000, 4) == Solver::graph_multigrid);
    CHECK(choose(10000, 0) == Solver::graph_multigrid);
}

TEST_CASE("a stencil is for multigrid alone") {
    const Picture image = random_picture(12, 12, 3);
    const std::vector<Label> labels = columns_known(12, 12);
    Monitor monitor;
    const Problem problem = closed_form(image.view(), labels.data(), {1e-5, 1, 1, true}, monitor);
    Eigen::VectorXd x = Eigen::VectorXd::Zero(problem.unknowns());
    CHECK(solve(problem, {}, x.data(), monitor).solver == Solver::multigrid);
    CHECK_THROWS_AS(solve(problem, {Solver::cholesky}, x.data(), monitor), std::invalid_argument);
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
