#include "solve/cholesky/nested_dissection.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "support.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// A problem with what the ordering reads: the places of the unknowns and the reach.
Problem places(std::int64_t height, std::int64_t width, const std::vector<std::int32_t>& pixel) {
    Problem problem;
    problem.height = height;
    problem.width = width;
    problem.reach = 2;
    problem.rhs = Buffer<double>(static_cast<std::int64_t>(pixel.size()));
    problem.pixel = Buffer<std::int32_t>(static_cast<std::int64_t>(pixel.size()));
    std::copy(pixel.begin(), pixel.end(), problem.pixel.begin());
    return problem;
}

std::vector<std::int32_t> numbers(std::int32_t count, std::int32_t step = 1) {
    std::vector<std::int32_t> all;
    for (std::int32_t i = 0; i < count; ++i) {
        all.push_back(i * step);
    }
    return all;
}

void check_permutation(const Problem& problem) {
    Monitor monitor;
    std::vector<std::int32_t> order = nested_dissection(problem, monitor);
    std::sort(order.begin(), order.end());
    CHECK(order == numbers(static_cast<std::int32_t>(problem.unknowns())));
}

// Counts the entries of the factor below its diagonal, by carrying out the elimination on a dense
// pattern.
std::int64_t fill(const Problem& problem, const std::vector<std::int32_t>& order) {
    const auto n = static_cast<std::size_t>(problem.unknowns());
    std::vector<std::vector<char>> coupled(n, std::vector<char>(n));
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            const std::int64_t p = problem.pixel[order[i]];
            const std::int64_t q = problem.pixel[order[j]];
            coupled[i][j] = std::abs(p / problem.width - q / problem.width) <= problem.reach &&
                            std::abs(p % problem.width - q % problem.width) <= problem.reach;
        }
    }
    std::int64_t entries = 0;
    for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t i = k + 1; i < n; ++i) {
            if (coupled[i][k]) {
                ++entries;
                for (std::size_t j = k + 1; j < n; ++j) {
                    coupled[i][j] |= coupled[k][j];
                }
            }
        }
    }
    return entries;
}

}  // namespace

TEST_CASE("the order is a permutation") {
    SUBCASE("nothing") { check_permutation(places(3, 3, {})); }
    SUBCASE("one pixel") { check_permutation(places(3, 3, {4})); }
    SUBCASE("a full picture") { check_permutation(places(50, 70, numbers(3500))); }
    SUBCASE("one row") { check_permutation(places(1, 1000, numbers(1000))); }
    SUBCASE("one column") { check_permutation(places(1000, 5, numbers(1000, 5))); }
    SUBCASE("pixels far from each other") { check_permutation(places(700, 700, numbers(700, 700 * 7 / 10))); }
    SUBCASE("a diagonal line of one pixel") { check_permutation(places(800, 800, numbers(800, 801))); }
    SUBCASE("two islands") {
        std::vector<std::int32_t> pixel;
        for (std::int32_t y = 0; y < 20; ++y) {
            for (std::int32_t x = 0; x < 20; ++x) {
                pixel.push_back(y * 1000 + x);
            }
        }
        for (std::int32_t y = 500; y < 520; ++y) {
            for (std::int32_t x = 970; x < 990; ++x) {
                pixel.push_back(y * 1000 + x);
            }
        }
        check_permutation(places(600, 1000, pixel));
    }
}

TEST_CASE("it leaves less fill than the order of the picture") {
    const Problem wide = places(12, 80, numbers(960));
    Monitor monitor;
    CHECK(fill(wide, nested_dissection(wide, monitor)) < 0.5 * static_cast<double>(fill(wide, numbers(960))));
}

TEST_CASE("a stop is heard") {
    StopsAtOnce monitor;
    CHECK_THROWS_AS(monitor.phase("ordering"), Cancelled);
    CHECK_THROWS_AS(nested_dissection(places(9, 9, numbers(81)), monitor), Cancelled);
}
