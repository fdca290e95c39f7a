#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "affinity/box_filter.hpp"
#include "affinity/window_layout.hpp"
#include "reference/closed_form.hpp"
#include "reference/dense_solve.hpp"
#include "solve/two_level.hpp"
#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr std::int64_t height = 41, width = 53;
constexpr double epsilon = 1e-7;

// Blocks of unknown pixels of several sizes, single pixels, and the corner of the picture.
std::vector<Label> blocks() {
    std::vector<Label> labels(static_cast<std::size_t>(height * width), Label::background);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            Label& label = labels[static_cast<std::size_t>(y * width + x)];
            label = x > 30 ? Label::foreground : Label::background;
            const bool unknown = (y < 3 && x < 2) || (y > 10 && y < 30 && x > 22 && x < 36) || (y == 37 && x == 50) ||
                                 (y % 9 == 4 && x % 13 == 7);
            label = unknown ? Label::unknown : label;
        }
    }
    return labels;
}

// A picture in flat colours, with one pixel of another colour.
Picture drawing() {
    Picture image(height, width, 3);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            for (int c = 0; c < 3; ++c) {
                image.at(y, x, c) = x + y < 40 ? 0.2 + 0.1 * c : 0.9 - 0.2 * c;
            }
        }
    }
    image.at(20, 26, 1) = 0.95;
    return image;
}

std::vector<Picture> pictures() {
    return {random_picture(height, width, 3), random_picture(height, width, 1), drawing()};
}

double largest(const Eigen::VectorXd& v) { return v.cwiseAbs().maxCoeff(); }

// The product of a problem with a vector, without its matrix.
Eigen::VectorXd multiplied(const Problem& problem, const Eigen::VectorXd& x, int threads = 1) {
    Eigen::VectorXd y(x.size());
    Monitor monitor;
    problem.products->multiply(x.data(), y.data(), {threads, monitor});
    return y;
}

Eigen::VectorXd noise(std::int64_t size) {
    Random random(5);
    Eigen::VectorXd x(size);
    for (double& v : x) {
        v = random();
    }
    return x;
}

}  // namespace

TEST_CASE("a box filter sums every square, whatever the side") {
    const Eigen::MatrixXd numbers = Eigen::MatrixXd::Random(70, 70);
    for (const std::int64_t side : {1, 3, 5, 7, 21, 31}) {
        BoxFilter<Sums<1>> filter(side, 40);
        const auto load = [&](std::int64_t k, double* to) {
            for (std::int64_t x = 0; x < 40 + side - 1; ++x) {
                to[x] = numbers(k, x);
            }
        };
        std::int64_t next = 0;
        double error = 0;
        filter.run(side, 40, load, [&](std::int64_t row, const double* sums) {
            CHECK(row == next++);
            for (std::int64_t x = 0; x < 40; ++x) {
                error = std::max(error, std::abs(sums[x] - numbers.block(row, x, side, side).sum()));
            }
        });
        CHECK(next == side);
        CHECK(error < 1e-12);
    }
}

TEST_CASE("moments of squares are those of their pixels, though all values are nearly the same") {
    const std::int64_t side = 9;
    const Eigen::MatrixXd first = Eigen::MatrixXd::Random(20, 20), second = Eigen::MatrixXd::Random(20, 20);
    const double small = 1.0 / (1 << 20);
    BoxFilter<Moments<3>> filter(side, 12);
    const auto load = [&](std::int64_t k, double* to) {
        std::fill_n(to, 9 * filter.stride(), 0.0);
        for (std::int64_t x = 0; x < 20; ++x) {
            to[x] = 0.75 + small * first(k, x);
            to[filter.stride() + x] = 0.5 + small * second(k, x);
            to[2 * filter.stride() + x] = 0.25;
        }
    };
    filter.run(side, 12, load, [&](std::int64_t row, const double* parts) {
        for (std::int64_t x = 0; x < 12; ++x) {
            const Eigen::ArrayXXd a = first.block(row, x, side, side), b = second.block(row, x, side, side);
            const double expected = ((a - a.mean()) * (b - b.mean())).sum();
            CHECK(parts[x] == doctest::Approx(0.75 + small * a.mean()).epsilon(1e-15));
            CHECK(parts[4 * filter.stride() + x] / (small * small) == doctest::Approx(expected).epsilon(1e-8));
            CHECK(parts[8 * filter.stride() + x] == 0);
        }
    });
}

TEST_CASE("products, sums and the diagonal equal those of the explicit rows") {
    const std::vector<Label> labels = blocks();
    for (const Picture& image : pictures()) {
        for (const int radius : {2, 3, 7}) {
            for (const bool known_too : {false, true}) {
                const ClosedForm affinity(epsilon, radius);
                const Known known{labels.data(), known_too ? 100.0 : 0.0};
                Monitor monitor;
                const Problem explicit_rows = assemble(affinity, image.view(), known, Form::sparse, {1, monitor});
                const Problem problem = assemble(affinity, image.view(), known, Form::matrix_free, {1, monitor});
                const Eigen::MatrixXd A = dense(explicit_rows.matrix);
                const Eigen::VectorXd x = noise(problem.unknowns());
                const double size = A.diagonal().maxCoeff();
                CHECK(largest(multiplied(problem, x) - A * x) < 1e-10 * size);
                CHECK(largest(dense(problem.rhs) - dense(explicit_rows.rhs)) < 1e-10 * size);
                const Eigen::VectorXd diagonal = dense(problem.products->diagonal);
                CHECK(largest(diagonal - A.diagonal()) < 2e-6 * size);
                CHECK(diagonal.minCoeff() > 0);
                CHECK(problem.rhs_norm == doctest::Approx(explicit_rows.rhs_norm).epsilon(1e-5));
            }
        }
    }
}

TEST_CASE("an operator has the same bits for any number of threads") {
    const Picture image = random_picture(height, width, 3);
    const std::vector<Label> labels = blocks();
    std::vector<Eigen::VectorXd> products, solutions;
    for (const int threads : {1, 2, 7}) {
        Monitor monitor;
        const Problem problem =
            assemble(ClosedForm(epsilon, 4), image.view(), {labels.data()}, Form::matrix_free, {threads, monitor});
        products.push_back(multiplied(problem, noise(problem.unknowns()), threads));
        solutions.push_back(Eigen::VectorXd::Constant(problem.unknowns(), 0.5));
        SolveOptions options;
        options.threads = threads;
        solve(problem, options, solutions.back().data(), monitor);
    }
    CHECK((products[0].array() == products[1].array()).all());
    CHECK((products[0].array() == products[2].array()).all());
    CHECK((solutions[0].array() == solutions[1].array()).all());
    CHECK((solutions[0].array() == solutions[2].array()).all());
}

TEST_CASE("cells hold the operator between their columns where every window counts") {
    const Picture image = random_picture(height, width, 3);
    const std::vector<Label> labels = blocks();
    // Windows of up to 13 pixels are all taken.
    for (const auto& [radius, cells_at_most] : {std::pair{2, 1000}, std::pair{2, 8}, std::pair{5, 1000}}) {
        const ClosedForm affinity(1e-3, radius);
        Monitor monitor;
        const Context context{1, monitor};
        const Problem problem = assemble(affinity, image.view(), {labels.data()}, Form::matrix_free, context);
        const Problem rows = assemble(affinity, image.view(), {labels.data()}, Form::sparse, context);
        const CellMatrix cells = *problem.products->L->on_cells(cells_at_most, context);
        const auto K = static_cast<std::size_t>(cells.columns);
        CHECK((cells.side > 2 * radius + 1) == (cells_at_most == 8));
        Eigen::MatrixXd V =
            Eigen::MatrixXd::Zero(problem.unknowns(), static_cast<Eigen::Index>(cells.cells.size() * K));
        for (std::int64_t i = 0; i < problem.unknowns(); ++i) {
            const std::int64_t y = problem.pixel[i] / width, x = problem.pixel[i] % width;
            for (std::size_t c = 0; c < cells.cells.size(); ++c) {
                const CellMatrix::Cell& cell = cells.cells[c];
                if (cell.y != y / cells.side || cell.x != x / cells.side) {
                    continue;
                }
                for (std::size_t q = 0; q < K; ++q) {
                    double v = cell.basis[q];
                    for (int k = 0; k < 3; ++k) {
                        v += cell.basis[static_cast<std::size_t>(1 + k) * K + q] * (image.at(y, x, k) - cell.centre[k]);
                    }
                    V(i, static_cast<Eigen::Index>(c * K + q)) = v;
                }
            }
        }
        const Eigen::MatrixXd gram = V.transpose() * V;
        for (Eigen::Index j = 0; j < gram.rows(); ++j) {
            CHECK((std::abs(gram(j, j) - 1) < 1e-9 || gram(j, j) == 0));
        }
        const Eigen::MatrixXd expected = V.transpose() * dense(rows.matrix) * V;
        double error = 0;
        constexpr int dy[] = {0, 0, 1, 1, 1}, dx[] = {0, 1, -1, 0, 1};
        for (std::size_t c = 0; c < cells.cells.size(); ++c) {
            for (std::size_t d = 0; d < cells.cells.size(); ++d) {
                for (int f = 0; f < CellMatrix::neighbours; ++f) {
                    if (cells.cells[d].y != cells.cells[c].y + dy[f] || cells.cells[d].x != cells.cells[c].x + dx[f]) {
                        continue;
                    }
                    for (std::size_t k = 0; k < K * K; ++k) {
                        const auto i = static_cast<Eigen::Index>(c * K + k / K);
                        const auto j = static_cast<Eigen::Index>(d * K + k % K);
                        const bool is_empty = f == 0 && i == j && gram(i, i) == 0;
                        error = std::max(error, std::abs(cells.cells[c].entry[f][k] - (is_empty ? 1 : expected(i, j))));
                    }
                }
            }
        }
        CHECK(error < 1e-9 * expected.diagonal().maxCoeff());
    }
}

TEST_CASE("the solution is that of a direct solve, with priors and soft weights too") {
    const std::vector<Label> labels = blocks();
    const std::vector<float> guess(labels.size(), 0.25f), confidence(labels.size(), 0.5f);
    for (const Picture& image : pictures()) {
        for (const Solver solver : {Solver::multigrid, Solver::conjugate_gradient}) {
            for (const int kind : {0, 1, 2}) {
                Known known{labels.data(), kind == 1 ? 100.0 : 0.0};
                if (kind > 0) {
                    known.prior = {guess.data(), confidence.data()};
                }
                const ClosedForm affinity(1e-5, 4);
                Monitor monitor;
                const Problem rows = assemble(affinity, image.view(), known, Form::sparse, {1, monitor});
                const Eigen::VectorXd expected = dense_solve(dense(rows.matrix), dense(rows.rhs));
                const Problem problem = assemble(affinity, image.view(), known, Form::matrix_free, {1, monitor});
                SolveOptions options;
                options.solver = solver;
                Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
                const SolveInfo info = solve(problem, options, x.data(), monitor);
                CHECK(info.converged);
                CHECK(info.solver == solver);
                CHECK(largest(x - expected) < 1e-3);
            }
        }
    }
}

TEST_CASE("an affinity without products has no such form") {
    const Picture image = random_picture(9, 9, 3);
    const std::vector<Label> labels = columns_known(9, 9);
    Monitor monitor;
    CHECK_THROWS_AS(assemble(ClosedForm(), image.view(), {labels.data()}, Form::matrix_free, {1, monitor}),
                    std::invalid_argument);
    CHECK(ClosedForm(epsilon, 1).traits().has_products == false);
}
