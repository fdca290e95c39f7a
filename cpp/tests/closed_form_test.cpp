// Tests affinity/closed_form.cpp and its two kernels.
#include "reference/closed_form.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr double epsilon = 1e-3;
constexpr double rounding = 1e-11;  // entries are sums of up to (2 radius + 1)^2 numbers below 1

Csr laplacian(const Picture& image, int radius, const std::uint8_t* known = nullptr, int threads = 1) {
    Monitor monitor;
    return closed_form_laplacian(image.view(), known, {epsilon, radius, threads}, monitor);
}

double largest(const Eigen::MatrixXd& m) { return m.cwiseAbs().maxCoeff(); }

// A picture of known pixels with two regions of unknown ones, one of them at the border.
std::vector<Label> islands(std::int64_t height, std::int64_t width) {
    std::vector<Label> labels(static_cast<std::size_t>(height * width), Label::background);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = width / 2; x < width; ++x) {
            labels[static_cast<std::size_t>(y * width + x)] = Label::foreground;
        }
    }
    for (const std::int64_t p : {std::int64_t{0}, std::int64_t{1}, width, 5 * width + 6, 5 * width + 7}) {
        labels[static_cast<std::size_t>(p)] = Label::unknown;
    }
    return labels;
}

}  // namespace

TEST_CASE("the Laplacian equals its dense twin") {
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
            const Csr matrix = laplacian(image, radius);
            CHECK(largest(dense(matrix) - dense_laplacian(image, epsilon, radius)) < rounding);
        }
    }
}

TEST_CASE("the planes of 3 x 3 windows and the rows of the general kernel make the same system") {
    std::vector<float> guess(37 * 41, 0.3f), confidence(37 * 41, 0.01f);
    for (const int channels : {1, 3}) {
        for (const double weight : {0.0, 100.0}) {
            const Picture image = random_picture(37, 41, channels);
            const std::vector<Label> labels = columns_known(37, 41);
            Monitor monitor;
            const Known known{labels.data(), weight, {guess.data(), confidence.data()}};
            const Problem fast = assemble(ClosedForm(epsilon, 1), image.view(), known, Form::sparse, {2, monitor});
            const Problem slow =
                assemble(WithoutPlanes<ClosedForm>(epsilon, 1), image.view(), known, Form::sparse, {2, monitor});
            CHECK(same_bits(slow.matrix.row_start, fast.matrix.row_start));
            CHECK(same_bits(slow.matrix.column, fast.matrix.column));
            CHECK(same_bits(slow.pixel, fast.pixel));
            double difference = 0;
            for (std::int64_t k = 0; k < slow.matrix.nonzeros(); ++k) {
                difference = std::max(difference, std::abs(slow.matrix.value[k] - fast.matrix.value[k]));
            }
            CHECK(difference < rounding);
            CHECK((dense(slow.rhs) - dense(fast.rhs)).cwiseAbs().maxCoeff() < rounding);
            CHECK(slow.rhs_norm == doctest::Approx(fast.rhs_norm));
            const Problem stencil =
                assemble(WithoutPlanes<ClosedForm>(epsilon, 1), image.view(), known, Form::stencil, {2, monitor});
            const Problem planes = assemble(ClosedForm(epsilon, 1), image.view(), known, Form::stencil, {2, monitor});
            CHECK((dense(stencil.stencil->hi) - dense(planes.stencil->hi)).cwiseAbs().maxCoeff() < 1e-7);
            CHECK((dense(stencil.stencil->rhs) - dense(planes.stencil->rhs)).cwiseAbs().maxCoeff() < rounding);
        }
    }
}

TEST_CASE("rows that the caller has made give the same system") {
    const Picture image = random_picture(12, 14, 3);
    const std::vector<Label> labels = islands(12, 14);
    Monitor monitor;
    const Csr L = laplacian(image, 1);
    const GivenRows given({L.rows, L.row_start.data(), L.column.data(), L.value.data()}, 2, true, true);
    const Problem ours = closed_form(image.view(), labels.data(), {epsilon, 1, 1}, monitor);
    const Problem theirs = assemble(given, image.view(), {labels.data()}, Form::sparse, {1, monitor});
    CHECK(largest(dense(ours.matrix) - dense(theirs.matrix)) < rounding);
    CHECK((dense(ours.rhs) - dense(theirs.rhs)).cwiseAbs().maxCoeff() < rounding);
    CHECK(theirs.reach == 2);
    const Picture smaller = random_picture(12, 13, 3);
    CHECK_THROWS_AS(assemble(given, smaller.view(), {labels.data()}, Form::sparse, {1, monitor}),
                    std::invalid_argument);
}

TEST_CASE("rows sum to zero, the matrix is symmetric and its rows are sorted") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(40, 13, 3);
        const Csr matrix = laplacian(image, radius);
        const Eigen::MatrixXd L = dense(matrix);
        CHECK(largest(L.rowwise().sum()) < rounding);
        CHECK(largest(L - L.transpose()) < rounding);
        for (std::int64_t i = 0; i < matrix.rows; ++i) {
            for (std::int64_t k = matrix.row_start[i] + 1; k < matrix.row_start[i + 1]; ++k) {
                REQUIRE(matrix.column[k - 1] < matrix.column[k]);
            }
        }
    }
}

TEST_CASE("alpha that is linear in the colours costs almost nothing, any other alpha costs something") {
    const Picture image = random_picture(12, 12, 3);
    Monitor monitor;
    const Eigen::MatrixXd L = dense(closed_form_laplacian(image.view(), nullptr, {1e-9, 1, 1}, monitor));
    Eigen::VectorXd alpha(144);
    for (int p = 0; p < 144; ++p) {
        const double* colour = image.data.data() + 3 * p;
        alpha(p) = 0.3 * colour[0] - 0.7 * colour[1] + 0.2 * colour[2] + 0.5;
    }
    CHECK(largest(L * alpha) < 1e-7);
    Random random(4);
    for (int i = 0; i < 10; ++i) {
        const Eigen::VectorXd x = Eigen::VectorXd::NullaryExpr(144, [&] { return random(); });
        CHECK(x.dot(L * x) > 0);
    }
}

TEST_CASE("constant and one-colour-line pictures keep their digits") {
    Picture image(9, 9, 3, 1.0);
    SUBCASE("constant") {}
    SUBCASE("colours on a line") {
        Random random(2);
        for (int p = 0; p < 81; ++p) {
            const double t = random();
            image.data[static_cast<std::size_t>(3 * p)] = t;
            image.data[static_cast<std::size_t>(3 * p + 1)] = 0.5 * t;
            image.data[static_cast<std::size_t>(3 * p + 2)] = 0.25 + 0.1 * t;
        }
    }
    Monitor monitor;
    const Eigen::MatrixXd L = dense(closed_form_laplacian(image.view(), nullptr, {1e-7, 1, 1}, monitor));
    CHECK(L.allFinite());
    CHECK(largest(L.rowwise().sum()) < rounding);
    CHECK(largest(L - dense_laplacian(image, 1e-7, 1)) < 1e-8);
}

TEST_CASE("windows of known pixels only are left out") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(12, 14, 3);
        const std::vector<Label> labels = islands(12, 14);
        std::vector<std::uint8_t> known;
        for (const Label label : labels) {
            known.push_back(label != Label::unknown);
        }
        const Eigen::MatrixXd twin = dense_laplacian(image, epsilon, radius, [&](std::int64_t y, std::int64_t x) {
            return labels[static_cast<std::size_t>(y * 14 + x)] == Label::unknown;
        });
        const Eigen::MatrixXd L = dense(laplacian(image, radius, known.data()));
        CHECK(largest(L - twin) < rounding);
        CHECK(largest(L.row(12 * 14 - 1)) == 0);
    }
}

TEST_CASE("known pixels are eliminated") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(12, 14, 3);
        const std::vector<Label> labels = islands(12, 14);
        Monitor monitor;
        const Problem problem = closed_form(image.view(), labels.data(), {epsilon, radius, 1}, monitor);
        const Eigen::MatrixXd L = dense_laplacian(image, epsilon, radius);

        std::vector<int> unknown;
        Eigen::VectorXd m = Eigen::VectorXd::Zero(12 * 14);
        for (int p = 0; p < 12 * 14; ++p) {
            if (labels[static_cast<std::size_t>(p)] == Label::unknown) {
                unknown.push_back(p);
            }
            m(p) = labels[static_cast<std::size_t>(p)] == Label::foreground;
        }
        REQUIRE(problem.unknowns() == static_cast<std::int64_t>(unknown.size()));
        CHECK(largest(dense(problem.matrix) - L(unknown, unknown)) < rounding);
        CHECK((dense(problem.rhs) + (L * m)(unknown)).cwiseAbs().maxCoeff() < rounding);
        CHECK(std::equal(unknown.begin(), unknown.end(), problem.pixel.begin(), problem.pixel.end()));
        CHECK(problem.height == 12);
        CHECK(problem.width == 14);
        CHECK(problem.reach == 2 * radius);
        REQUIRE(problem.channels == 3);
        for (std::size_t i = 0; i < unknown.size(); ++i) {
            for (std::size_t c = 0; c < 3; ++c) {
                CHECK(problem.colours[static_cast<std::int64_t>(c * unknown.size() + i)] ==
                      static_cast<float>(image.data[static_cast<std::size_t>(unknown[i]) * 3 + c]));
            }
        }
    }
}

TEST_CASE("the soft system is (L + w D) x = w m") {
    const Picture image = random_picture(8, 9, 3);
    const std::vector<Label> labels = columns_known(8, 9);
    Monitor monitor;
    const Problem problem = closed_form_soft(image.view(), labels.data(), 100, {epsilon, 1, 1}, monitor);
    Eigen::MatrixXd A = dense_laplacian(image, epsilon, 1);
    Eigen::VectorXd b = Eigen::VectorXd::Zero(72);
    for (int p = 0; p < 72; ++p) {
        A(p, p) += labels[static_cast<std::size_t>(p)] == Label::unknown ? 0 : 100;
        b(p) = labels[static_cast<std::size_t>(p)] == Label::foreground ? 100 : 0;
    }
    CHECK(largest(dense(problem.matrix) - A) < rounding);
    CHECK(dense(problem.rhs) == b);
}

TEST_CASE("the result has the same bits for any number of threads") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(100, 23, 3);
        const Csr one = laplacian(image, radius);
        for (const int threads : {2, 7}) {
            const Csr many = laplacian(image, radius, nullptr, threads);
            CHECK(same_bits(one.row_start, many.row_start));
            CHECK(same_bits(one.column, many.column));
            CHECK(same_bits(one.value, many.value));
        }
    }
}

TEST_CASE("pictures without a window are refused") {
    CHECK_THROWS_AS(laplacian(random_picture(2, 9, 3), 1), std::invalid_argument);
    CHECK_THROWS_AS(laplacian(random_picture(9, 4, 3), 2), std::invalid_argument);
    CHECK_THROWS_AS(laplacian(random_picture(9, 9, 2), 1), std::invalid_argument);
    CHECK_THROWS_AS(laplacian(random_picture(9, 9, 3), 0), std::invalid_argument);
}

TEST_CASE("a stop is heard") {
    const Picture image = random_picture(9, 9, 3);
    StopsAtOnce monitor;
    CHECK_THROWS_AS(closed_form_laplacian(image.view(), nullptr, {epsilon, 1, 1}, monitor), Cancelled);
}
