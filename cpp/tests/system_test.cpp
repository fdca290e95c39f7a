#include <doctest/doctest.h>

#include <cmath>

#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

TEST_CASE("multiply is the dense product, with the same bits for any number of threads") {
    const Picture image = random_picture(30, 20, 3);
    Monitor monitor;
    const Csr matrix = closed_form_laplacian(image.view(), nullptr, {1e-3, 1, 1}, monitor);
    Random random(5);
    const Eigen::VectorXd x = Eigen::VectorXd::NullaryExpr(matrix.rows, [&] { return random(); });
    Eigen::VectorXd y(matrix.rows), y7(matrix.rows);
    multiply(matrix, x.data(), y.data(), 1, monitor);
    multiply(matrix, x.data(), y7.data(), 7, monitor);
    CHECK((y - dense(matrix) * x).cwiseAbs().maxCoeff() < 1e-12);
    CHECK(same_bits(y, y7));
}

TEST_CASE("relative_residual is ||D^-1 (b - A x)|| / ||D^-1 b||") {
    Eigen::MatrixXd A(2, 2);
    A << 2, 1, 1, 3;
    Eigen::VectorXd b(2);
    b << 3, 4;
    const Problem problem = problem_from(A, b);
    Monitor monitor;
    const double zero[] = {0, 0};
    const double solution[] = {1, 1};
    const double other[] = {1, 0};
    CHECK(relative_residual(problem, zero, 1, monitor) == 1);
    CHECK(relative_residual(problem, solution, 1, monitor) == 0);
    CHECK(relative_residual(problem, other, 1, monitor) ==
          doctest::Approx(std::hypot(1 / 2.0, 3 / 3.0) / std::hypot(3 / 2.0, 4 / 3.0)));
}

TEST_CASE("relative_residual of nothing to solve is zero") {
    const Problem problem = problem_from(Eigen::MatrixXd::Identity(2, 2), Eigen::VectorXd::Zero(2));
    Monitor monitor;
    const double zero[] = {0, 0};
    CHECK(relative_residual(problem, zero, 1, monitor) == 0);
}
