#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "reference/dense_solve.hpp"
#include "support.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/foreground.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

struct Result {
    std::vector<float> F, B;
    LayersInfo info;
};

Result estimate(const Picture& image, const std::vector<float>& alpha, const ClosedFormLayersOptions& options) {
    Monitor monitor;
    Result result{std::vector<float>(image.data.size(), -1), std::vector<float>(image.data.size(), -1), {}};
    result.info = closed_form_layers(image.view(), alpha.data(), options, result.F.data(), result.B.data(), monitor);
    return result;
}

// Options for layers as the solver finds them, neither moved nor clipped.
ClosedFormLayersOptions as_found() {
    ClosedFormLayersOptions options;
    options.exact_composite = false;
    options.low = -10;
    options.high = 10;
    options.tolerance = 1e-5;
    return options;
}

// Numbers of alpha in a picture with a deep part at the left, where alpha is 0, and at the right,
// where it is 1.
std::vector<float> soft_edge(std::int64_t height, std::int64_t width) {
    std::vector<float> alpha;
    for (std::int64_t p = 0; p < height * width; ++p) {
        const auto x = static_cast<float>(p % width), y = static_cast<float>(p / width);
        alpha.push_back(std::clamp(3 * x / static_cast<float>(width) - 1 + 0.2f * std::sin(y), 0.0f, 1.0f));
    }
    return alpha;
}

// The largest difference of both layers to an exact solution, as it is seen.
double largest_seen(const Result& result, const std::vector<double>& exact, const std::vector<float>& alpha) {
    double largest = 0;
    for (std::size_t p = 0; p < alpha.size(); ++p) {
        const double a = alpha[p];
        largest = std::max(largest, a < 1 ? a * std::abs(result.F[p] - exact[p]) : 0.0);
        largest = std::max(largest, a > 0 ? (1 - a) * std::abs(result.B[p] - exact[alpha.size() + p]) : 0.0);
    }
    return largest;
}

// Solves the system of a grey picture without any of the core's shortcuts.
std::vector<double> exact_layers(const Picture& image, const std::vector<float>& alpha, float regularization) {
    const auto n = static_cast<std::int64_t>(alpha.size());
    Eigen::MatrixXd A = Eigen::MatrixXd::Zero(2 * n, 2 * n);
    Eigen::VectorXd b(2 * n);
    for (std::int64_t p = 0; p < n; ++p) {
        const double a = alpha[static_cast<std::size_t>(p)];
        A(p, p) += a * a;
        A(n + p, n + p) += (1 - a) * (1 - a);
        A(p, n + p) = A(n + p, p) = a * (1 - a);
        b(p) = a * image.data[static_cast<std::size_t>(p)];
        b(n + p) = (1 - a) * image.data[static_cast<std::size_t>(p)];
        for (const std::int64_t q : {(p + 1) % image.width == 0 ? n : p + 1, p + image.width}) {
            if (q >= n) {
                continue;
            }
            const double w = 2 * (regularization + std::abs(a - alpha[static_cast<std::size_t>(q)]));
            for (const std::int64_t layer : {std::int64_t{0}, n}) {
                A(layer + p, layer + p) += w;
                A(layer + q, layer + q) += w;
                A(layer + p, layer + q) -= w;
                A(layer + q, layer + p) -= w;
            }
        }
    }
    const Eigen::VectorXd x = dense_solve(A, b);
    return {x.data(), x.data() + x.size()};
}

}  // namespace

TEST_CASE("closed-form layers equal a dense solution") {
    for (const auto& [height, width] : {std::pair{20, 33}, std::pair{41, 18}, std::pair{1, 40}}) {
        Picture image = random_picture(height, width, 1);
        const std::vector<float> alpha = soft_edge(height, width);
        const ClosedFormLayersOptions options = as_found();
        const Result result = estimate(image, alpha, options);
        CHECK(result.info.converged);
        CHECK(largest_seen(result, exact_layers(image, alpha, options.regularization), alpha) < 3e-4);
    }
}

TEST_CASE("known layers of deep pixels pull at their neighbours, so that a white picture stays white") {
    for (const float regularization : {1e-5f, 1e-2f, 1.0f, 100.0f}) {
        Picture image(20, 60, 1);
        std::fill(image.data.begin(), image.data.end(), 1.0);
        const std::vector<float> alpha = soft_edge(20, 60);
        ClosedFormLayersOptions options = as_found();
        options.regularization = regularization;
        const Result result = estimate(image, alpha, options);
        CAPTURE(regularization);
        CHECK(result.info.converged);
        CHECK(largest_seen(result, std::vector<double>(2 * alpha.size(), 1.0), alpha) < 1e-4);
    }
}

TEST_CASE("channels side by side have the layers that each has alone") {
    const Picture image = random_picture(80, 90, 3);
    const std::vector<float> alpha = soft_edge(80, 90);
    const ClosedFormLayersOptions options = as_found();
    const Result all = estimate(image, alpha, options);
    CHECK(all.info.converged);
    for (std::size_t c = 0; c < 3; ++c) {
        Picture grey(80, 90, 1);
        for (std::size_t p = 0; p < alpha.size(); ++p) {
            grey.data[p] = image.data[3 * p + c];
        }
        const Result alone = estimate(grey, alpha, options);
        CHECK(alone.info.converged);
        double largest = 0;
        for (std::size_t p = 0; p < alpha.size(); ++p) {
            const double a = alpha[p];
            largest = std::max(largest, a * std::abs(all.F[3 * p + c] - alone.F[p]));
            largest = std::max(largest, (1 - a) * std::abs(all.B[3 * p + c] - alone.B[p]));
        }
        CHECK(largest < 2e-5);
    }
}

TEST_CASE("closed-form layers have the same bits for any number of threads") {
    const Picture image = random_picture(170, 190, 3);
    const std::vector<float> alpha = soft_edge(170, 190);
    ClosedFormLayersOptions options;
    const Result one = estimate(image, alpha, options);
    for (const int threads : {2, 7}) {
        options.threads = threads;
        const Result many = estimate(image, alpha, options);
        CHECK(many.F == one.F);
        CHECK(many.B == one.B);
    }
}

TEST_CASE("a picture of deep pixels and one hard edge has layers") {
    const Picture image = random_picture(64, 64, 3);
    std::vector<float> alpha(64 * 64, 0.0f);
    for (std::size_t p = 0; p < alpha.size(); ++p) {
        alpha[p] = p % 64 < 32 ? 0.0f : 1.0f;
    }
    const Result result = estimate(image, alpha, {});
    CHECK(result.info.converged);
    for (std::size_t k = 0; k < image.data.size(); ++k) {
        CHECK((alpha[k / 3] == 1 ? result.F : result.B)[k] == static_cast<float>(image.data[k]));
    }
}

TEST_CASE("pictures with more pixels than the system can number have no layers") {
    Monitor monitor;
    const ImageView image{nullptr, PixelType::u8, 65536, 32768, 3};
    CHECK_THROWS_AS(closed_form_layers(image, nullptr, {}, nullptr, nullptr, monitor), std::length_error);
}
