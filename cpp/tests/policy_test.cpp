#include "solve/policy.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include "trimatte/random_walk.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

Affinity::Traits by_products(std::int64_t reach) {
    Affinity::Traits traits;
    traits.reach = reach;
    traits.has_products = true;
    return traits;
}

}  // namespace

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

TEST_CASE("what falls apart at strong edges is factorised while that fits into memory") {
    const Affinity::Traits traits = RandomWalk().traits();
    CHECK(traits.follows_edges);
    const std::vector<Attempt> attempts = attempts_for(1000000, traits, {});
    REQUIRE(attempts.size() == 2);
    CHECK(attempts[0].solver == Solver::cholesky);
    CHECK(attempts[0].if_it_fits);
    CHECK(attempts[1].solver == Solver::graph_multigrid);
    CHECK(is_small(20000, traits, {}));
    CHECK(!is_small(20001, traits, {}));
}

TEST_CASE("an operator that has products needs rows for a last resort at most") {
    const std::vector<Attempt> small = attempts_for(10000, by_products(4), {});
    REQUIRE(small.size() == 3);
    CHECK(small[0].form() == Form::matrix_free);
    CHECK(small[1].solver == Solver::cholesky);
    CHECK(small[1].form() == Form::sparse);
    CHECK(small[1].if_it_fits);
    CHECK(small[2].form() == Form::matrix_free);
    const std::vector<Attempt> large = attempts_for(1000000, by_products(20), {});
    REQUIRE(large.size() == 2);
    CHECK(large[0].solver == Solver::multigrid);
    CHECK(large[1].solver == Solver::conjugate_gradient);
    for (const Attempt& attempt : large) {
        CHECK(attempt.form() == Form::matrix_free);
    }
    const auto form_of = [](Solver solver) {
        SolveOptions options;
        options.solver = solver;
        return attempts_for(10000, by_products(4), options).front().form();
    };
    CHECK(form_of(Solver::cholesky) == Form::sparse);
    CHECK(form_of(Solver::graph_multigrid) == Form::sparse);
    CHECK(form_of(Solver::conjugate_gradient) == Form::matrix_free);
    CHECK(form_of(Solver::multigrid) == Form::matrix_free);
}
