#include "solve/multigrid/islands.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <cmath>

#include "reference/dense_solve.hpp"
#include "solve/multigrid/drawing.hpp"
#include "support.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr std::int64_t side = 10;

// A picture of squares of one colour each.
Picture squares(std::int64_t rows, std::int64_t squares_in_a_row) {
    const Picture colours = random_picture(rows, squares_in_a_row, 3, 4);
    Picture image(rows * side, squares_in_a_row * side, 3);
    for (std::int64_t y = 0; y < image.height; ++y) {
        for (std::int64_t x = 0; x < image.width; ++x) {
            for (int c = 0; c < 3; ++c) {
                image.at(y, x, c) = colours.at(y / side, x / side, c);
            }
        }
    }
    return image;
}

Problem problem_of(const Picture& image, bool stencil) {
    Monitor monitor;
    return closed_form(image.view(), columns_known(image.height, image.width).data(), {1e-7, 1, 1, stencil}, monitor);
}

// Returns the slots of the unknown pixels, in order.
std::vector<std::int64_t> slots_of(const Stencil& stencil) {
    std::vector<std::int64_t> slots;
    for (const std::int64_t i : places(stencil.grid)) {
        if (stencil.scale[i] > 0) {
            slots.push_back(i);
        }
    }
    return slots;
}

}  // namespace

TEST_CASE("the islands of squares are those that hold no known pixel, and are solved exactly") {
    const Picture image = squares(3, 5);
    const Problem problem = problem_of(image, true);
    const Stencil& stencil = *problem.stencil;
    for (const int threads : {1, 3}) {
        Monitor monitor;
        const std::unique_ptr<Islands> islands = Islands::find(stencil, {threads, monitor});
        REQUIRE(islands);
        CHECK(islands->count() == 3 * 3);

        // The slow twin has E as a dense matrix, in units of alpha.
        const Problem rows = problem_of(image, false);
        const Eigen::MatrixXd A = dense(rows.matrix);
        const Eigen::VectorXd b = dense(rows.rhs);
        Eigen::MatrixXd E = Eigen::MatrixXd::Zero(A.rows(), 9);
        for (Eigen::Index i = 0; i < A.rows(); ++i) {
            const std::int64_t y = rows.pixel[i] / image.width / side;
            const std::int64_t x = rows.pixel[i] % image.width / side;
            if (x > 0 && x < 4) {
                E(i, y * 3 + x - 1) = 1;
            }
        }
        const Eigen::VectorXd exact = E * (E.transpose() * A * E).ldlt().solve(E.transpose() * b);
        std::vector<double> v(static_cast<std::size_t>(stencil.grid.slots()), 0.0);
        islands->correct(stencil.rhs.data(), 1, v.data());
        const std::vector<std::int64_t> slots = slots_of(stencil);
        for (std::size_t i = 0; i < slots.size(); ++i) {
            const double alpha = v[static_cast<std::size_t>(slots[i])] * stencil.scale[slots[i]];
            CHECK(alpha == doctest::Approx(exact[static_cast<Eigen::Index>(i)]).epsilon(1e-4));
        }
    }
}

TEST_CASE("stripes of one pixel, coupled to the next but one, are one island") {
    Picture image(30, 41, 3);
    for (std::int64_t y = 0; y < image.height; ++y) {
        for (std::int64_t x = 1; x < 20; x += 2) {  // the known columns have the other colour
            image.at(y, x, 0) = 1;
        }
    }
    const Problem problem = problem_of(image, true);
    Monitor monitor;
    for (const int threads : {1, 3}) {
        const std::unique_ptr<Islands> islands = Islands::find(*problem.stencil, {threads, monitor});
        REQUIRE(islands);
        CHECK(islands->count() == 1);
    }
}

TEST_CASE("where colours vary there are no islands") {
    const Problem problem = problem_of(random_picture(40, 50, 3), true);
    Monitor monitor;
    CHECK_FALSE(Islands::find(*problem.stencil, {2, monitor}));
    CHECK_FALSE(is_drawing(*problem.stencil, {2, monitor}));
}

TEST_CASE("squares are solved to the last digits that matter, in few iterations") {
    const Picture image = squares(6, 7);
    const Problem rows = problem_of(image, false);
    const Eigen::VectorXd exact = dense(rows.matrix).llt().solve(dense(rows.rhs));
    const Problem problem = problem_of(image, true);
    Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
    Monitor monitor;
    const SolveInfo info = multigrid(problem, {Solver::multigrid, 0, 1000, 2, 1e-3}, x.data(), monitor);
    CHECK(info.converged);
    CHECK(info.iterations <= 20);
    CHECK((x - exact).cwiseAbs().maxCoeff() <= 1e-4);
}

TEST_CASE("pictures with flat colours or with few colours are drawings") {
    Monitor monitor;
    CHECK(is_drawing(*problem_of(squares(3, 4), true).stencil, {1, monitor}));
    Picture image = random_picture(40, 50, 3);
    for (double& v : image.data) {
        v = std::round(v);  // rounding leaves eight colours
    }
    CHECK(is_drawing(*problem_of(image, true).stencil, {1, monitor}));
    image = random_picture(40, 50, 1);
    CHECK_FALSE(is_drawing(*problem_of(image, true).stencil, {1, monitor}));
}
