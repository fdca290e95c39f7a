#include "reference/multilevel_by_rows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/foreground.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

struct Result {
    std::vector<float> F;
    std::vector<float> B;
};

Result estimate(const Picture& image, const std::vector<float>& alpha, const MultilevelSteps& steps = {}) {
    Monitor monitor;
    Result result{std::vector<float>(image.data.size(), -1), std::vector<float>(image.data.size(), -1)};
    multilevel_by_rows(image.view(), alpha.data(), steps, result.F.data(), result.B.data(), monitor);
    return result;
}

// Alpha from -0.5 to 1.5, clipped, in random order; it holds both 0 and 1.
std::vector<float> random_alpha(std::int64_t pixels) {
    Random random(7);
    std::vector<float> alpha;
    for (std::int64_t p = 0; p < pixels; ++p) {
        alpha.push_back(std::clamp(static_cast<float>(2 * random() - 0.5), 0.0f, 1.0f));
    }
    alpha.front() = 0;
    alpha.back() = 1;
    return alpha;
}

double largest_difference(const std::vector<float>& a, const std::vector<double>& b) {
    double largest = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        largest = std::max(largest, std::abs(a[k] - b[k]));
    }
    return largest;
}

}  // namespace

TEST_CASE("the estimate by rows equals its slow twin") {
    MultilevelSteps other;
    other.regularization = 1e-3f;
    other.gradient_weight = 0.3f;
    other.small_size = 20;
    other.small_iterations = 3;
    other.big_iterations = 5;
    for (const MultilevelSteps& steps : {MultilevelSteps{}, other}) {
        for (const int channels : {1, 3}) {
            for (const auto& [height_, width_] :
                 {std::pair{13, 9}, std::pair{1, 17}, std::pair{40, 1}, std::pair{50, 43}}) {
                const int height = height_, width = width_;  // CAPTURE takes no structured binding
                CAPTURE(channels);
                CAPTURE(height);
                CAPTURE(width);
                const Picture image = random_picture(height, width, channels);
                const std::vector<float> alpha = random_alpha(image.view().pixels());
                Picture slow_alpha(height, width, 1);
                std::copy(alpha.begin(), alpha.end(), slow_alpha.data.begin());
                const Layers twin = slow_multilevel_by_rows(image, slow_alpha, steps);
                const Result result = estimate(image, alpha, steps);
                CHECK(largest_difference(result.F, twin.F.data) < 1e-4);
                CHECK(largest_difference(result.B, twin.B.data) < 1e-4);
            }
        }
    }
}

TEST_CASE("without surely foreground and background pixels both layers start from 0") {
    // One update of a single pixel: F = a I / k and B = b I / k, with k = a^2 + b^2 + 4e-5.
    MultilevelSteps steps;
    steps.small_iterations = 1;
    const Picture image(1, 1, 3, 0.5);
    const Result result = estimate(image, {0.25f}, steps);
    const double k = 0.25 * 0.25 + 0.75 * 0.75 + 4e-5;
    CHECK(largest_difference(result.F, std::vector<double>(3, 0.25 * 0.5 / k)) < 1e-6);
    CHECK(largest_difference(result.B, std::vector<double>(3, 0.75 * 0.5 / k)) < 1e-6);
}

TEST_CASE("opaque pixels beside others do not keep the image's colour") {
    const Picture image = random_picture(40, 60, 3);
    const std::vector<float> alpha = random_alpha(40 * 60);
    const Result result = estimate(image, alpha);
    double most = 0;
    for (std::size_t k = 0; k < image.data.size(); ++k) {
        if (alpha[k / 3] == 1) {
            most = std::max(most, std::abs(result.F[k] - image.data[k]));
        }
    }
    CHECK(most > 0.05);
}

TEST_CASE("a stop is heard by the estimate by rows") {
    const Picture image = random_picture(9, 9, 3);
    std::vector<float> layer(image.data.size());
    StopsAtOnce monitor;
    CHECK_THROWS_AS(multilevel_by_rows(image.view(), random_alpha(81).data(), {}, layer.data(), layer.data(), monitor),
                    Cancelled);
}
