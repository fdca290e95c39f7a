#include "prior/known_colours.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

std::vector<Label> some_labels(std::int64_t height, std::int64_t width, double unknown, unsigned seed) {
    Random random(seed);
    std::vector<Label> labels;
    for (std::int64_t i = 0; i < height * width; ++i) {
        const double u = random();
        labels.push_back(u < unknown ? Label::unknown : u < 0.5 + unknown / 2 ? Label::foreground : Label::background);
    }
    return labels;
}

}  // namespace

TEST_CASE("places near the unknown region are those with an unknown pixel in the square around them") {
    const Picture image(23, 31, 3);
    for (const std::int64_t near : {1, 2, 5, 40}) {
        const std::vector<Label> labels = some_labels(23, 31, 0.01, 5);
        Monitor monitor;
        const std::vector<Place> found = known_near_unknown(image.view(), labels.data(), near, 2, monitor).foreground;
        std::size_t next = 0;
        for (std::int32_t y = 0; y < 23; ++y) {
            for (std::int32_t x = 0; x < 31; ++x) {
                bool wanted = false;
                for (std::int64_t v = std::max<std::int64_t>(0, y - near); v <= std::min<std::int64_t>(22, y + near);
                     ++v) {
                    for (std::int64_t u = std::max<std::int64_t>(0, x - near);
                         u <= std::min<std::int64_t>(30, x + near); ++u) {
                        wanted |= labels[static_cast<std::size_t>(v * 31 + u)] == Label::unknown;
                    }
                }
                if (wanted && labels[static_cast<std::size_t>(y * 31 + x)] == Label::foreground) {
                    REQUIRE(next < found.size());
                    CHECK(found[next].y == y);
                    CHECK(found[next].x == x);
                    ++next;
                }
            }
        }
        CHECK(next == found.size());
    }
}

TEST_CASE("distances are those of the nearest pixel") {
    for (const auto& [height, width] : {std::pair{1, 17}, std::pair{19, 1}, std::pair{37, 150}}) {
        const Picture image(height, width, 1);
        const std::vector<Label> labels = some_labels(height, width, 0.97, 2);
        Monitor monitor;
        const std::vector<float> found = distance_to(image.view(), labels.data(), Label::background, 2, monitor);
        for (std::int64_t p = 0; p < height * width; ++p) {
            double least = std::numeric_limits<double>::infinity();
            for (std::int64_t q = 0; q < height * width; ++q) {
                if (labels[static_cast<std::size_t>(q)] == Label::background) {
                    least = std::min(least, std::hypot(p / width - q / width, p % width - q % width));
                }
            }
            if (std::isinf(least)) {
                CHECK(std::isinf(found[static_cast<std::size_t>(p)]));
            } else {
                CHECK(found[static_cast<std::size_t>(p)] == doctest::Approx(least));
            }
        }
    }
}

TEST_CASE("the nearest places are those that a full search finds") {
    Random random(8);
    for (const int spread : {400, 20}) {  // queries lie up to 450 away, on all sides
        std::vector<Place> places, queries;
        for (int i = 0; i < 700; ++i) {  // the places are dense in one corner
            const int side = i < 500 ? 30 : spread;
            places.push_back(
                {static_cast<std::int32_t>(200 + random() * side), static_cast<std::int32_t>(random() * side)});
        }
        for (int i = 0; i < 200; ++i) {
            queries.push_back({static_cast<std::int32_t>(random() * 450), static_cast<std::int32_t>(random() * 450)});
        }
        for (const std::int64_t count : {1, 64, 699, 2000}) {
            Monitor monitor;
            const std::vector<std::int32_t> found = nearest(places, queries, count, 2, monitor);
            const std::size_t each = std::min<std::size_t>(static_cast<std::size_t>(count), places.size());
            REQUIRE(found.size() == each * queries.size());
            for (std::size_t q = 0; q < queries.size(); ++q) {
                std::vector<std::pair<std::int64_t, std::int32_t>> all;
                for (std::size_t i = 0; i < places.size(); ++i) {
                    const std::int64_t dy = places[i].y - queries[q].y, dx = places[i].x - queries[q].x;
                    all.emplace_back(dy * dy + dx * dx, static_cast<std::int32_t>(i));
                }
                std::sort(all.begin(), all.end());
                std::vector<std::int32_t> expected;
                for (std::size_t i = 0; i < each; ++i) {
                    expected.push_back(all[i].second);
                }
                std::sort(expected.begin(), expected.end());
                CHECK(std::equal(expected.begin(), expected.end(),
                                 found.begin() + static_cast<std::ptrdiff_t>(q * each)));
            }
        }
    }
}

TEST_CASE("a sample of places holds each at most once, and none is more likely than another") {
    std::vector<int> drawn(100, 0);
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        std::vector<Place> places;
        for (std::int32_t i = 0; i < 100; ++i) {
            places.push_back({0, i});
        }
        const std::vector<Place> some = some_of(std::move(places), 20, seed);
        REQUIRE(some.size() == 20);
        for (std::size_t i = 0; i < some.size(); ++i) {
            CHECK((i == 0 || some[i - 1].x < some[i].x));
            ++drawn[static_cast<std::size_t>(some[i].x)];
        }
    }
    CHECK(*std::min_element(drawn.begin(), drawn.end()) > 320);
    CHECK(*std::max_element(drawn.begin(), drawn.end()) < 480);
}
