#include "trimatte/metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr std::int64_t height = 13, width = 17;

// Random values of few levels, so that components of many sizes exist.
std::vector<double> values(unsigned seed) {
    Random random(seed);
    std::vector<double> v;
    for (std::int64_t i = 0; i < height * width; ++i) {
        v.push_back(std::floor(11 * random()) / 10);
    }
    return v;
}

// Marks the largest component of the pixels where `inside` holds, by flood fills from every pixel.
std::vector<bool> largest(const std::vector<bool>& inside) {
    std::vector<bool> best(inside.size()), seen(inside.size());
    std::ptrdiff_t most = 0;
    for (std::int64_t start = 0; start < height * width; ++start) {
        std::vector<std::int64_t> open{start};
        std::vector<bool> here(inside.size());
        std::ptrdiff_t size = 0;
        while (!open.empty()) {
            const std::int64_t p = open.back();
            open.pop_back();
            const auto at = static_cast<std::size_t>(p);
            if (!inside[at] || seen[at]) {
                continue;
            }
            seen[at] = here[at] = true;
            ++size;
            const std::int64_t x = p % width;
            if (x > 0) open.push_back(p - 1);
            if (x + 1 < width) open.push_back(p + 1);
            if (p >= width) open.push_back(p - width);
            if (p + width < height * width) open.push_back(p + width);
        }
        if (size > most) {
            most = size;
            best = here;
        }
    }
    return best;
}

}  // namespace

TEST_CASE("connectivity equals floods of every level") {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        const std::vector<double> alpha = values(seed), truth = values(seed + 100);
        const std::vector<std::uint8_t> region(alpha.size(), 1);
        std::vector<double> connected(alpha.size(), -1);
        std::vector<bool> still(alpha.size(), true);
        for (int k = 0; k <= 10; ++k) {
            std::vector<bool> inside(alpha.size());
            for (std::size_t p = 0; p < alpha.size(); ++p) {
                inside[p] = std::min(alpha[p], truth[p]) >= k / 10.0;
            }
            const std::vector<bool> source = largest(inside);
            for (std::size_t p = 0; p < alpha.size(); ++p) {
                still[p] = still[p] && source[p];
                connected[p] = still[p] ? k / 10.0 : connected[p];
            }
        }
        double expected = 0;
        for (std::size_t p = 0; p < alpha.size(); ++p) {
            const double a = alpha[p] - connected[p], t = truth[p] - connected[p];
            expected += std::fabs((a >= 0.15 ? 1 - a : 1) - (t >= 0.15 ? 1 - t : 1));
        }
        Monitor monitor;
        const Mattes mattes{alpha.data(), truth.data(), region.data(), height, width};
        CHECK(connectivity_error(mattes, 10, 0.15, monitor) == doctest::Approx(expected).epsilon(1e-12));
    }
}

TEST_CASE("the gradient of a ramp is one number, and its error counts in the region only") {
    std::vector<double> ramp, zero(height * width, 0.0);
    std::vector<std::uint8_t> one(height * width, 0);
    for (std::int64_t p = 0; p < height * width; ++p) {
        ramp.push_back(0.02 * static_cast<double>(p % width));
    }
    one[6 * width + 8] = 1;
    Monitor monitor;
    const double at_8 = gradient_error({ramp.data(), zero.data(), one.data(), height, width}, 1.4, 1, monitor);
    one[7 * width + 7] = 1;
    const double both = gradient_error({ramp.data(), zero.data(), one.data(), height, width}, 1.4, 3, monitor);
    CHECK(at_8 > 0);
    CHECK(both == doctest::Approx(2 * at_8).epsilon(1e-12));
    CHECK(gradient_error({ramp.data(), ramp.data(), one.data(), height, width}, 1.4, 2, monitor) == 0);
}
