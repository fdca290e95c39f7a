#include "neighbours/nearest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "support.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Answer {
    std::vector<std::int32_t> number;
    std::vector<float> distance;

    bool operator==(const Answer& other) const { return number == other.number && same_bits(distance, other.distance); }
};

// The numbers of the points are added in the order of the dimensions, each product rounded to a
// float first.
float squared_distance(const float* a, const float* b, int dimensions) {
    float sum = 0;
    for (int c = 0; c < dimensions; ++c) {
        const volatile float square = (a[c] - b[c]) * (a[c] - b[c]);
        sum += square;
    }
    return sum;
}

// The slow twin: every query is compared with every point.
Answer compare_all(const std::vector<float>& points, const std::vector<float>& queries, int dimensions, int k,
                   const std::vector<std::int32_t>& excluded = {}, const std::vector<std::int32_t>* subset = nullptr) {
    const auto d = static_cast<std::size_t>(dimensions);
    Answer answer;
    for (std::size_t i = 0; i < queries.size() / d; ++i) {
        std::vector<std::pair<float, std::int32_t>> all;
        const auto take = [&](std::int32_t p) {
            if (excluded.empty() || excluded[i] != p) {
                const float* at = points.data() + static_cast<std::size_t>(p) * d;
                all.emplace_back(squared_distance(at, queries.data() + i * d, dimensions), p);
            }
        };
        if (subset != nullptr) {
            std::for_each(subset->begin(), subset->end(), take);
        } else {
            for (std::size_t p = 0; p < points.size() / d; ++p) {
                take(static_cast<std::int32_t>(p));
            }
        }
        std::sort(all.begin(), all.end());
        all.resize(static_cast<std::size_t>(k), {infinity, -1});
        for (const auto& [distance, number] : all) {
            answer.number.push_back(number);
            answer.distance.push_back(distance);
        }
    }
    return answer;
}

Answer search(const std::vector<float>& points, const std::vector<float>& queries, int dimensions, int k,
              const std::vector<std::int32_t>& excluded = {}, const std::vector<std::int32_t>* subset = nullptr,
              int threads = 2) {
    Monitor monitor;
    const Context context{threads, monitor};
    const auto count = [dimensions](const std::vector<float>& rows) {
        return static_cast<std::int64_t>(rows.size()) / dimensions;
    };
    const Nearest nearest(points.data(), count(points), dimensions, context,
                          subset != nullptr ? subset->data() : nullptr,
                          subset != nullptr ? static_cast<std::int64_t>(subset->size()) : 0);
    const auto size = static_cast<std::size_t>(count(queries) * k);
    Answer answer{std::vector<std::int32_t>(size), std::vector<float>(size)};
    nearest.find(queries.data(), count(queries), k, excluded.empty() ? nullptr : excluded.data(), answer.number.data(),
                 answer.distance.data(), context);
    return answer;
}

std::vector<float> random_rows(std::int64_t rows, int dimensions, unsigned seed) {
    Random random(seed);
    std::vector<float> numbers(static_cast<std::size_t>(rows * dimensions));
    for (float& v : numbers) {
        v = static_cast<float>(random());
    }
    return numbers;
}

// Points with few different numbers, so that many are equal and many distances are.
std::vector<float> coarse_rows(std::int64_t rows, int dimensions, unsigned seed) {
    std::vector<float> numbers = random_rows(rows, dimensions, seed);
    for (float& v : numbers) {
        v = std::floor(4 * v);
    }
    return numbers;
}

std::vector<std::int32_t> one_to_n(std::int64_t n) {
    std::vector<std::int32_t> numbers;
    for (std::int32_t i = 0; i < n; ++i) {
        numbers.push_back(i);
    }
    return numbers;
}

}  // namespace

TEST_CASE("nearest: equal to the slow twin for every number of dimensions") {
    for (int dimensions = 2; dimensions <= 16; ++dimensions) {
        const auto points = random_rows(700, dimensions, 1);
        const auto queries = random_rows(130, dimensions, 2);
        for (const int k : {1, 7, 20}) {
            CAPTURE(dimensions);
            CAPTURE(k);
            CHECK(search(points, queries, dimensions, k) == compare_all(points, queries, dimensions, k));
        }
    }
}

TEST_CASE("nearest: equal to the slow twin for every number of points") {
    for (const std::int64_t n : {1, 2, 15, 16, 17, 127, 128, 129, 130, 1023, 1024, 1025, 1100}) {
        const auto points = random_rows(n, 3, 3);
        CAPTURE(n);
        CHECK(search(points, points, 3, 9) == compare_all(points, points, 3, 9));
    }
}

TEST_CASE("nearest: equal to the slow twin for many points, however they are spread") {
    const auto even = random_rows(40000, 3, 15);
    auto skewed = even;
    for (float& v : skewed) {
        v = std::pow(v, 60.0f);
    }
    for (const auto& points : {even, skewed, coarse_rows(40000, 3, 16)}) {
        const std::vector<float> queries(points.begin(), points.begin() + 150);
        CHECK(search(points, queries, 3, 12) == compare_all(points, queries, 3, 12));
    }
}

TEST_CASE("nearest: equal distances are sorted by the numbers of the points") {
    for (const int dimensions : {2, 5}) {
        const auto points = coarse_rows(900, dimensions, 4);
        CHECK(search(points, points, dimensions, 30) == compare_all(points, points, dimensions, 30));
    }
}

TEST_CASE("nearest: numbers far from each other and very small ones") {
    auto points = random_rows(400, 4, 5);
    for (std::size_t i = 0; i < points.size(); ++i) {
        points[i] *= i % 3 == 0 ? 1e18f : i % 3 == 1 ? -1e-20f : 1.0f;
    }
    CHECK(search(points, points, 4, 12) == compare_all(points, points, 4, 12));
}

TEST_CASE("nearest: one point may be left out of each answer") {
    const auto points = random_rows(500, 5, 6);
    auto excluded = one_to_n(500);
    CHECK(search(points, points, 5, 20, excluded) == compare_all(points, points, 5, 20, excluded));
    excluded[3] = -1;
    excluded[4] = 499;  // not among the nearest
    CHECK(search(points, points, 5, 8, excluded) == compare_all(points, points, 5, 8, excluded));
    const std::vector<float> equal(500 * 5, 0.25f);
    CHECK(search(equal, equal, 5, 8, excluded) == compare_all(equal, equal, 5, 8, excluded));
}

TEST_CASE("nearest: the order holds every point once") {
    const auto points = random_rows(1000, 3, 14);
    Monitor monitor;
    const Nearest nearest(points.data(), 1000, 3, {2, monitor});
    std::vector<std::int32_t> order(nearest.order(), nearest.order() + nearest.points());
    std::sort(order.begin(), order.end());
    CHECK(order == one_to_n(1000));
}

TEST_CASE("nearest: only a subset of the points is held") {
    const auto points = random_rows(600, 3, 7);
    std::vector<std::int32_t> subset;
    for (std::int32_t i = 0; i < 600; i += 2) {
        subset.push_back(599 - i);
    }
    CHECK(search(points, points, 3, 10, {}, &subset) == compare_all(points, points, 3, 10, {}, &subset));
    subset.clear();
    CHECK(search(points, points, 3, 2, {}, &subset) == compare_all(points, points, 3, 2, {}, &subset));
}

TEST_CASE("nearest: fewer points than neighbours leave places empty") {
    const auto points = random_rows(5, 2, 8);
    const auto found = search(points, points, 2, 7);
    CHECK(found == compare_all(points, points, 2, 7));
    CHECK(found.number[5] == -1);
    CHECK(found.distance[6] == infinity);
    const auto others = search(points, points, 2, 5, one_to_n(5));
    CHECK(others == compare_all(points, points, 2, 5, one_to_n(5)));
    CHECK(others.number[4] == -1);
}

TEST_CASE("nearest: all points with a marked one among their nearest are found") {
    for (const std::int64_t n : {1, 16, 40, 3000}) {
        for (const int k : {1, 9, 15, 16, 19, 31, 100, 500}) {
            for (const bool coarse : {false, true}) {
                const auto points = coarse ? coarse_rows(n, 3, 13) : random_rows(n, 3, 13);
                std::vector<std::uint8_t> marked(static_cast<std::size_t>(n)), may(static_cast<std::size_t>(n), 7);
                for (std::size_t i = 0; i < marked.size(); ++i) {
                    marked[i] = points[3 * i] < 0.1f && points[3 * i + 1] < 0.3f ? 1 : 0;
                }
                Monitor monitor;
                const Context context{2, monitor};
                Nearest(points.data(), n, 3, context).find_near_marked(marked.data(), k, may.data(), context);
                const auto found = search(points, points, 3, k, one_to_n(n));
                std::size_t missed = 0, spared = 0;
                for (std::size_t i = 0; i < marked.size(); ++i) {
                    for (std::size_t j = i * static_cast<std::size_t>(k); j < (i + 1) * static_cast<std::size_t>(k);
                         ++j) {
                        const std::int32_t q = found.number[j];
                        missed += q >= 0 && marked[static_cast<std::size_t>(q)] != 0 && may[i] != 1;
                    }
                    spared += may[i] == 0;
                }
                CAPTURE(n);
                CAPTURE(k);
                CHECK(missed == 0);
                if (n == 3000 && k <= 31 && !coarse) {
                    CHECK(spared > marked.size() / 3);
                }
            }
        }
    }
}

// With a tree whose equal points are looked through one by one, this would take hours.
TEST_CASE("nearest: points that are all equal, or have few colours, take no longer") {
    constexpr std::int64_t n = 200000;
    const std::vector<float> equal(static_cast<std::size_t>(n * 3), 0.5f);
    const auto found = search(equal, equal, 3, 10);
    const auto first_ten = one_to_n(10);
    for (std::size_t i = 0; i < n; i += 997) {
        CHECK(
            std::equal(first_ten.begin(), first_ten.end(), found.number.begin() + static_cast<std::ptrdiff_t>(10 * i)));
    }
    const auto coarse = coarse_rows(n, 3, 9);
    const auto of_coarse = search(coarse, coarse, 3, 10);
    CHECK(*std::max_element(of_coarse.distance.begin(), of_coarse.distance.end()) == 0);
}

TEST_CASE("nearest: same bits for any number of threads") {
    const auto points = random_rows(50000, 5, 10);
    const auto one = search(points, points, 5, 20, {}, nullptr, 1);
    CHECK(one == search(points, points, 5, 20, {}, nullptr, 2));
    CHECK(one == search(points, points, 5, 20, {}, nullptr, 7));
}

TEST_CASE("nearest: what is no number, and other nonsense, is refused") {
    const auto points = random_rows(40000, 3, 11);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, 2e18f}) {
        auto with_bad = points;
        with_bad[100001] = bad;
        CHECK_THROWS_WITH_AS(search(with_bad, points, 3, 1), doctest::Contains("in row 33333"), std::invalid_argument);
        CHECK_THROWS_WITH_AS(search(points, with_bad, 3, 1), doctest::Contains("queries: expected finite numbers"),
                             std::invalid_argument);
    }
    CHECK_THROWS_AS(search(points, points, 1, 1), std::invalid_argument);
    CHECK_THROWS_AS(search(points, points, 17, 1), std::invalid_argument);
    CHECK_THROWS_AS(search(points, points, 3, 0), std::invalid_argument);
}

TEST_CASE("nearest: building and searching can be stopped") {
    const auto points = random_rows(100000, 5, 12);
    StopsIn monitor("neighbours");
    monitor.phase("neighbours");
    const auto build_and_search = [&] {
        const Context context{2, monitor};
        const Nearest nearest(points.data(), 100000, 5, context);
        std::vector<std::int32_t> number(2000000);
        std::vector<float> distance(2000000);
        nearest.find(points.data(), 100000, 20, nullptr, number.data(), distance.data(), context);
    };
    CHECK_THROWS_AS(build_and_search(), Cancelled);
}
