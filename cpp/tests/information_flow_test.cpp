// affinity/information_flow/: the operator, and what known colours say.
#include "trimatte/information_flow.hpp"

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>

#include "reference/information_flow.hpp"
#include "support.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// Entries are sums of a few hundred products of numbers of about 1.
constexpr double rounding = 1e-9;

Csr rows_of(const Picture& image, const std::vector<Label>& labels, const InformationFlowOptions& options = {},
            int threads = 1) {
    Monitor monitor;
    const Context context{threads, monitor};
    return laplacian(InformationFlow(image.view(), labels.data(), options, context), image.view(), nullptr, context);
}

}  // namespace

TEST_CASE("the rows equal their dense twin") {
    for (const int channels : {1, 3}) {
        for (const auto& [height_, width_] : {std::array{3, 3}, std::array{7, 5}, std::array{3, 40}}) {
            for (const int neighbours_ : {1, 4, 20}) {
                const int height = height_, width = width_, neighbours = neighbours_;
                CAPTURE(channels);
                CAPTURE(height);
                CAPTURE(width);
                CAPTURE(neighbours);
                const Picture image = random_picture(height, width, channels);
                const std::vector<Label> labels = columns_known(height, width);
                InformationFlowOptions options{neighbours, 3, 0.5, 0.7, 1e-3};
                const Eigen::MatrixXd L = dense(rows_of(image, labels, options));
                CHECK((L - dense_information_flow(image, labels.data(), options)).cwiseAbs().maxCoeff() < rounding);
                CHECK((L - L.transpose()).cwiseAbs().maxCoeff() < rounding);
                CHECK(L.rowwise().sum().cwiseAbs().maxCoeff() < rounding);
            }
        }
    }
}

TEST_CASE("pixels of one colour and no known pixels are taken") {
    const Picture image(6, 7, 3, 0.5);
    const std::vector<Label> labels(42, Label::unknown);
    const InformationFlowOptions options{20, 5, 0.01, 1, 1e-3};
    const Eigen::MatrixXd L = dense(rows_of(image, labels, options));
    CHECK((L - dense_information_flow(image, labels.data(), options)).cwiseAbs().maxCoeff() < rounding);
}

TEST_CASE("the rows and the flow from known pixels are the same bits for any number of threads") {
    const Picture image = random_picture(70, 33, 3);
    const std::vector<Label> labels = columns_known(70, 33);
    const Csr one = rows_of(image, labels);
    const auto known = [&](int threads) {
        std::vector<float> alpha(70 * 33), confidence(70 * 33);
        Monitor monitor;
        known_to_unknown_flow(image.view(), labels.data(), 7, alpha.data(), confidence.data(), {threads, monitor});
        alpha.insert(alpha.end(), confidence.begin(), confidence.end());
        return alpha;
    };
    for (const int threads : {2, 7}) {
        const Csr many = rows_of(image, labels, {}, threads);
        CHECK(same_bits(one.column, many.column));
        CHECK(same_bits(one.value, many.value));
        CHECK(same_bits(known(1), known(threads)));
    }
}

TEST_CASE("a mixture of the known colours gets its share") {
    Picture image(3, 30, 3);
    const std::vector<Label> labels = columns_known(3, 30);
    for (int p = 0; p < 90; ++p) {
        for (int c = 0; c < 3; ++c) {
            image.at(p / 30, p % 30, c) = static_cast<double>(p % 30) / 29;
        }
    }
    std::vector<float> alpha(90), confidence(90);
    Monitor monitor;
    known_to_unknown_flow(image.view(), labels.data(), 7, alpha.data(), confidence.data(), {1, monitor});
    for (int p = 0; p < 90; ++p) {
        if (labels[static_cast<std::size_t>(p)] == Label::unknown) {
            CHECK(alpha[static_cast<std::size_t>(p)] == doctest::Approx(p % 30 / 29.0).epsilon(0.01));
            CHECK(confidence[static_cast<std::size_t>(p)] == doctest::Approx(1));
        }
    }
}

TEST_CASE("what it cannot take is refused, and a caller can stop it") {
    const std::vector<Label> labels = columns_known(9, 9);
    const Picture two_channels = random_picture(9, 9, 2), narrow = random_picture(2, 9, 3);
    CHECK_THROWS_AS(rows_of(two_channels, labels), std::invalid_argument);
    CHECK_THROWS_AS(rows_of(narrow, labels), std::invalid_argument);
    const Picture image = random_picture(9, 9, 3), other = random_picture(8, 9, 3);
    Monitor monitor;
    const InformationFlow flow(image.view(), labels.data(), {}, {1, monitor});
    CHECK_THROWS_AS(laplacian(flow, other.view(), nullptr, {1, monitor}), std::invalid_argument);
    StopsAtOnce stop;
    CHECK_THROWS_AS(InformationFlow(image.view(), labels.data(), {}, {1, stop}), Cancelled);
}
