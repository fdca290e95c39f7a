// affinity/learning_based.cpp: both of its kernels.
#include "trimatte/learning_based.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "reference/learning_based.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr double lambda = 1e-3;
constexpr double rounding = 1e-11;  // entries are sums of up to (2 radius + 1)^2 numbers below 1

Csr rows_of(const Affinity& affinity, const Picture& image, const std::uint8_t* known = nullptr, int threads = 1) {
    Monitor monitor;
    return laplacian(affinity, image.view(), known, {threads, monitor});
}

double largest(const Eigen::MatrixXd& m) { return m.cwiseAbs().maxCoeff(); }

}  // namespace

TEST_CASE("the rows equal their dense twin") {
    for (const int channels : {1, 3}) {
        for (const auto& [height_, width_, radius_] :
             {std::array{3, 3, 1}, std::array{7, 5, 1}, std::array{3, 70, 1}, std::array{40, 4, 1}, std::array{5, 5, 2},
              std::array{6, 11, 2}, std::array{9, 8, 3}}) {
            const int height = height_, width = width_, radius = radius_;  // CAPTURE takes no structured binding
            CAPTURE(channels);
            CAPTURE(height);
            CAPTURE(width);
            CAPTURE(radius);
            const Picture image = random_picture(height, width, channels);
            const Eigen::MatrixXd L = dense(rows_of(LearningBased(lambda, radius), image));
            CHECK(largest(L - dense_learning_based(image, lambda, radius)) < rounding);
            CHECK(largest(L.rowwise().sum()) < rounding);
            CHECK(largest(L - L.transpose()) < rounding);
        }
    }
}

TEST_CASE("the planes of 3 x 3 windows and the rows of the general kernel make the same system") {
    for (const int channels : {1, 3}) {
        const Picture image = random_picture(37, 41, channels);
        const std::vector<Label> labels = columns_known(37, 41);
        for (const double regularization : {1e-7, lambda, 10.0}) {
            CAPTURE(regularization);
            Monitor monitor;
            const Known known{labels.data()};
            const Problem fast =
                assemble(LearningBased(regularization), image.view(), known, Form::sparse, {2, monitor});
            const Problem slow =
                assemble(WithoutPlanes<LearningBased>(regularization), image.view(), known, Form::sparse, {2, monitor});
            REQUIRE(same_bits(slow.matrix.column, fast.matrix.column));
            CHECK((dense(slow.matrix.value) - dense(fast.matrix.value)).cwiseAbs().maxCoeff() < rounding);
            CHECK((dense(slow.rhs) - dense(fast.rhs)).cwiseAbs().maxCoeff() < rounding);
            CHECK(fast.reach == 2);
            CHECK(fast.channels == channels);
        }
    }
}

TEST_CASE("constant and one-colour-line pictures keep their digits") {
    Picture image(9, 9, 3, 0.3);
    SUBCASE("constant") {}
    SUBCASE("colours on a line") {
        Random random(2);
        for (int p = 0; p < 81; ++p) {
            const double t = random();
            image.at(p / 9, p % 9, 0) = t;
            image.at(p / 9, p % 9, 1) = 0.5 * t;
            image.at(p / 9, p % 9, 2) = 0.25 + 0.1 * t;
        }
    }
    const Eigen::MatrixXd twin = dense_learning_based(image, 1e-7, 1);
    for (const Csr& matrix :
         {rows_of(LearningBased(1e-7), image), rows_of(WithoutPlanes<LearningBased>(1e-7), image)}) {
        const Eigen::MatrixXd L = dense(matrix);
        CHECK(L.allFinite());
        CHECK(largest(L.rowwise().sum()) < rounding);
        CHECK(largest(L - twin) < 1e-6);
    }
}

TEST_CASE("windows of known pixels only are left out") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(12, 14, 3);
        std::vector<std::uint8_t> known(12 * 14, 1);
        known[0] = known[1] = known[5 * 14 + 6] = 0;
        const Eigen::MatrixXd twin = dense_learning_based(image, lambda, radius, [&](std::int64_t y, std::int64_t x) {
            return known[static_cast<std::size_t>(y * 14 + x)] == 0;
        });
        CHECK(largest(dense(rows_of(LearningBased(lambda, radius), image, known.data())) - twin) < rounding);
    }
}

TEST_CASE("the rows are the same bits for any number of threads") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(70, 33, 3);
        const Csr one = rows_of(LearningBased(1e-7, radius), image);
        for (const int threads : {2, 7}) {
            const Csr many = rows_of(LearningBased(1e-7, radius), image, nullptr, threads);
            CHECK(same_bits(one.column, many.column));
            CHECK(same_bits(one.value, many.value));
        }
    }
}

TEST_CASE("a picture without a window is refused") {
    const Picture narrow = random_picture(2, 9, 3), two_channels = random_picture(9, 9, 2);
    CHECK_THROWS_AS(rows_of(LearningBased(), narrow), std::invalid_argument);
    CHECK_THROWS_AS(rows_of(LearningBased(), two_channels), std::invalid_argument);
    CHECK_THROWS_AS(rows_of(LearningBased(1e-7, 3), random_picture(6, 9, 3)), std::invalid_argument);
}
