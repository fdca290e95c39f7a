#include "reference/multilevel.hpp"

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

Result estimate(const Picture& image, const std::vector<float>& alpha, const MultilevelOptions& options = {}) {
    Monitor monitor;
    Result result{std::vector<float>(image.data.size(), -1), std::vector<float>(image.data.size(), -1)};
    multilevel(image.view(), alpha.data(), options, result.F.data(), result.B.data(), monitor);
    return result;
}

// A ramp of alpha from 0 to 1 with both ends flat.
std::vector<float> ramp(std::int64_t height, std::int64_t width) {
    std::vector<float> alpha;
    for (std::int64_t p = 0; p < height * width; ++p) {
        const float t = 1.5f * static_cast<float>(p % width) / static_cast<float>(width) - 0.25f;
        alpha.push_back(std::clamp(t, 0.0f, 1.0f));
    }
    return alpha;
}

float largest_difference(const std::vector<float>& a, const std::vector<double>& b) {
    double largest = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
        largest = std::max(largest, std::abs(a[k] - b[k]));
    }
    return static_cast<float>(largest);
}

}  // namespace

TEST_CASE("the estimate equals its slow twin") {
    for (const int channels : {1, 3}) {
        for (const auto& [height_, width_] :
             {std::pair{13, 9}, std::pair{1, 17}, std::pair{40, 1}, std::pair{50, 43}}) {
            const int height = height_, width = width_;  // CAPTURE takes no structured binding
            CAPTURE(channels);
            CAPTURE(height);
            CAPTURE(width);
            const Picture image = random_picture(height, width, channels);
            const std::vector<float> alpha = ramp(height, width);
            Picture slow_alpha(height, width, 1);
            std::copy(alpha.begin(), alpha.end(), slow_alpha.data.begin());
            Layers twin = slow_multilevel(image, slow_alpha, {});
            for (std::size_t k = 0; k < image.data.size(); ++k) {
                const float a = alpha[k / static_cast<std::size_t>(channels)];
                twin.F.data[k] = a == 1 ? image.data[k] : twin.F.data[k];
                twin.B.data[k] = a == 0 ? image.data[k] : twin.B.data[k];
            }
            MultilevelOptions options;
            options.exact_composite = false;
            const Result result = estimate(image, alpha, options);
            CHECK(largest_difference(result.F, twin.F.data) < 1e-4f);
            CHECK(largest_difference(result.B, twin.B.data) < 1e-4f);
        }
    }
}

TEST_CASE("a constant picture has constant layers") {
    const Picture image(33, 47, 3, 0.25);
    const Result result = estimate(image, ramp(33, 47));
    CHECK(largest_difference(result.F, image.data) < 1e-6f);
    CHECK(largest_difference(result.B, image.data) < 1e-6f);
}

TEST_CASE("opaque pixels keep their colour as foreground, transparent ones as background") {
    const Picture image = random_picture(40, 60, 3);
    const std::vector<float> alpha = ramp(40, 60);
    for (const bool exact : {false, true}) {
        MultilevelOptions options;
        options.exact_composite = exact;
        const Result result = estimate(image, alpha, options);
        for (std::size_t k = 0; k < image.data.size(); ++k) {
            if (alpha[k / 3] == 1) {
                CHECK(result.F[k] == static_cast<float>(image.data[k]));
            }
            if (alpha[k / 3] == 0) {
                CHECK(result.B[k] == static_cast<float>(image.data[k]));
            }
        }
    }
}

TEST_CASE("layers lie in [0, 1]; an exact composite reproduces the picture") {
    const Picture image = random_picture(40, 60, 3);
    const std::vector<float> alpha = ramp(40, 60);
    for (const bool exact : {false, true}) {
        MultilevelOptions options;
        options.exact_composite = exact;
        const Result result = estimate(image, alpha, options);
        double error = 0;
        for (std::size_t k = 0; k < image.data.size(); ++k) {
            const double a = alpha[k / 3];
            error = std::max(error, std::abs(a * result.F[k] + (1 - a) * result.B[k] - image.data[k]));
        }
        CHECK(*std::min_element(result.F.begin(), result.F.end()) >= 0);
        CHECK(*std::max_element(result.F.begin(), result.F.end()) <= 1);
        CHECK(*std::min_element(result.B.begin(), result.B.end()) >= 0);
        CHECK(*std::max_element(result.B.begin(), result.B.end()) <= 1);
        if (exact) {
            CHECK(error < 1e-6);
        } else {
            CHECK(error > 1e-3);  // otherwise the test above would show nothing
        }
    }
}

TEST_CASE("two layers of one colour each are found") {
    // The picture has 4 levels of alpha between a red foreground and a blue background.
    const std::vector<float> alpha = ramp(32, 32);
    Picture image(32, 32, 3);
    for (std::size_t p = 0; p < alpha.size(); ++p) {
        image.data[3 * p] = 0.8 * alpha[p];
        image.data[3 * p + 2] = 0.6 * (1 - alpha[p]);
    }
    const Result result = estimate(image, alpha);
    for (std::size_t p = 0; p < alpha.size(); ++p) {
        if (alpha[p] > 0.1f) {
            CHECK(result.F[3 * p] == doctest::Approx(0.8).epsilon(0.02));
            CHECK(result.F[3 * p + 2] == doctest::Approx(0).epsilon(0.02));
        }
    }
}

TEST_CASE("the smallest pictures have layers") {
    const Picture image = random_picture(1, 1, 3);
    for (const float a : {0.0f, 0.5f, 1.0f}) {
        const Result result = estimate(image, {a});
        for (int c = 0; c < 3; ++c) {
            CHECK(result.F[static_cast<std::size_t>(c)] == doctest::Approx(image.at(0, 0, c)).epsilon(1e-6));
            CHECK(result.B[static_cast<std::size_t>(c)] == doctest::Approx(image.at(0, 0, c)).epsilon(1e-6));
        }
    }
}

TEST_CASE("the result has the same bits for any number of threads") {
    const Picture image = random_picture(180, 150, 3);
    const std::vector<float> alpha = ramp(180, 150);
    MultilevelOptions options;
    for (const bool exact : {false, true}) {
        options.exact_composite = exact;
        options.threads = 1;
        const Result one = estimate(image, alpha, options);
        for (const int threads : {2, 7}) {
            options.threads = threads;
            const Result many = estimate(image, alpha, options);
            CHECK(same_bits(one.F, many.F));
            CHECK(same_bits(one.B, many.B));
        }
    }
}

TEST_CASE("a stop is heard") {
    const Picture image = random_picture(9, 9, 3);
    std::vector<float> layer(image.data.size());
    StopsAtOnce monitor;
    CHECK_THROWS_AS(multilevel(image.view(), ramp(9, 9).data(), {}, layer.data(), layer.data(), monitor), Cancelled);
}
