// affinity/random_walk.cpp beside a plain twin.
#include "trimatte/random_walk.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr double rounding = 1e-13;

Csr rows_of(const Affinity& affinity, const Picture& image, const std::uint8_t* known = nullptr, int threads = 1) {
    Monitor monitor;
    return laplacian(affinity, image.view(), known, {threads, monitor});
}

Eigen::MatrixXd dense_random_walk(const Picture& image, double sigma, const std::uint8_t* known = nullptr) {
    const std::int64_t n = image.height * image.width;
    Eigen::MatrixXd W = Eigen::MatrixXd::Zero(n, n);
    for (std::int64_t p = 0; p < n; ++p) {
        for (std::int64_t q = 0; q < n; ++q) {
            const std::int64_t dy = p / image.width - q / image.width, dx = p % image.width - q % image.width;
            const bool built = known == nullptr || known[p] == 0 || known[q] == 0;
            if (p == q || std::abs(dy) > 1 || std::abs(dx) > 1 || !built) {
                continue;
            }
            double distance = 0;
            for (int c = 0; c < image.channels; ++c) {
                const double d =
                    image.at(p / image.width, p % image.width, c) - image.at(q / image.width, q % image.width, c);
                distance += d * d;
            }
            W(p, q) = (1 - 1e-6) * std::exp(-distance / (sigma * sigma)) + 1e-6;
        }
    }
    return Eigen::MatrixXd(W.rowwise().sum().asDiagonal()) - W;
}

}  // namespace

TEST_CASE("random walk: the rows equal their dense twin") {
    for (const int channels : {1, 3}) {
        for (const auto& size : {std::pair{1, 1}, std::pair{1, 7}, std::pair{3, 3}, std::pair{3, 40}, std::pair{17, 4},
                                 std::pair{40, 9}}) {
            const Picture image = random_picture(size.first, size.second, channels);
            for (const double sigma : {1.0 / 30, 0.5}) {
                const Eigen::MatrixXd twin = dense_random_walk(image, sigma);
                CHECK((dense(rows_of(RandomWalk(sigma), image)) - twin).cwiseAbs().maxCoeff() < rounding);
            }
        }
    }
}

TEST_CASE("random walk: pairs of known pixels are left out") {
    const Picture image = random_picture(12, 14, 3);
    std::vector<std::uint8_t> known(12 * 14, 1);
    known[0] = known[1] = known[5 * 14 + 6] = known[12 * 14 - 1] = 0;
    const Eigen::MatrixXd twin = dense_random_walk(image, 0.3, known.data());
    CHECK((dense(rows_of(RandomWalk(0.3), image, known.data())) - twin).cwiseAbs().maxCoeff() < rounding);
}

TEST_CASE("random walk: the stencil and the sparse rows are the same system") {
    const Picture image = random_picture(45, 50, 3);
    const std::vector<Label> labels = columns_known(45, 50);
    Monitor monitor;
    const Known known{labels.data()};
    const auto solved = [&](Form form, Solver solver) {
        const Problem problem = assemble(RandomWalk(0.3), image.view(), known, form, {2, monitor});
        SolveOptions options;
        options.solver = solver;
        options.tolerance = 1e-7;
        Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
        const SolveInfo info = solve(problem, options, x.data(), monitor);
        CHECK(info.converged);
        return x;
    };
    const Eigen::VectorXd direct = solved(Form::sparse, Solver::cholesky);
    CHECK((solved(Form::stencil, Solver::multigrid) - direct).cwiseAbs().maxCoeff() < 1e-5);
}

TEST_CASE("random walk: the rows are the same bits for any number of threads") {
    const Picture image = random_picture(150, 140, 3);
    const Csr one = rows_of(RandomWalk(), image);
    for (const int threads : {2, 7}) {
        const Csr many = rows_of(RandomWalk(), image, nullptr, threads);
        CHECK(same_bits(one.column, many.column));
        CHECK(same_bits(one.value, many.value));
    }
}

TEST_CASE("random walk: a picture of two channels is refused, and a call can be stopped") {
    CHECK_THROWS_AS(rows_of(RandomWalk(), random_picture(9, 9, 2)), std::invalid_argument);
    const Picture image = random_picture(200, 200, 3);
    StopsAtOnce monitor;
    CHECK_THROWS_AS(laplacian(RandomWalk(), image.view(), nullptr, {2, monitor}), Cancelled);
}
