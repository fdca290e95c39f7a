#include "solve/regions.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

std::vector<Label> random_labels(std::int64_t height, std::int64_t width, double unknown, unsigned seed) {
    std::vector<Label> labels(static_cast<std::size_t>(height * width));
    Random random(seed);
    for (Label& label : labels) {
        const double r = random();
        label = r < unknown ? Label::unknown : r < (1 + unknown) / 2 ? Label::foreground : Label::background;
    }
    return labels;
}

// Returns the number of the region of each pixel, found by following neighbours; -1 for known
// pixels.
std::vector<int> flooded(const std::vector<Label>& labels, std::int64_t height, std::int64_t width,
                         std::int64_t reach) {
    std::vector<int> number(labels.size(), -1);
    int next = 0;
    for (std::int64_t p = 0; p < height * width; ++p) {
        const auto at = static_cast<std::size_t>(p);
        if (labels[at] != Label::unknown || number[at] >= 0) {
            continue;
        }
        std::vector<std::int64_t> stack{p};
        number[at] = next;
        while (!stack.empty()) {
            const std::int64_t q = stack.back();
            stack.pop_back();
            for (std::int64_t r = 0; r < height * width; ++r) {
                const bool near = std::abs(r / width - q / width) <= reach && std::abs(r % width - q % width) <= reach;
                if (near && labels[static_cast<std::size_t>(r)] == Label::unknown &&
                    number[static_cast<std::size_t>(r)] < 0) {
                    number[static_cast<std::size_t>(r)] = next;
                    stack.push_back(r);
                }
            }
        }
        ++next;
    }
    return number;
}

}  // namespace

TEST_CASE("regions are those that a flood fill finds") {
    for (const std::int64_t reach : {1, 2, 4}) {
        for (unsigned seed = 0; seed < 6; ++seed) {
            const std::int64_t height = seed % 2 == 0 ? 150 : 3, width = seed % 2 == 0 ? 23 : 180;
            const auto labels = random_labels(height, width, seed < 3 ? 0.02 : 0.1, seed);
            const std::vector<int> expected = flooded(labels, height, width, reach);
            Monitor monitor;
            for (const int threads : {1, 3}) {
                const Regions regions(labels.data(), height, width, reach, {threads, monitor});
                std::vector<int> found(labels.size(), -1);
                int number = 0;
                for (const Region& region : regions.all()) {
                    std::int64_t unknowns = 0;
                    bool meets[2] = {};
                    Box box{height, width, 0, 0};
                    for (const Run* run = region.begin; run != region.end; ++run) {
                        for (std::int64_t x = run->x_begin; x < run->x_end; ++x) {
                            found[static_cast<std::size_t>(run->y * width + x)] = number;
                            ++unknowns;
                            box = box.with({run->y, x, run->y + 1, x + 1});
                            for (std::int64_t q = 0; q < height * width; ++q) {
                                const Label label = labels[static_cast<std::size_t>(q)];
                                if (label != Label::unknown && std::abs(q / width - run->y) <= reach &&
                                    std::abs(q % width - x) <= reach) {
                                    meets[static_cast<int>(label)] = true;
                                }
                            }
                        }
                    }
                    CHECK(region.unknowns == unknowns);
                    CHECK(region.box.top == box.top);
                    CHECK(region.box.left == box.left);
                    CHECK(region.box.bottom == box.bottom);
                    CHECK(region.box.right == box.right);
                    CHECK(region.meets_background == meets[0]);
                    CHECK(region.meets_foreground == meets[1]);
                    ++number;
                }
                CHECK(found == expected);
            }
        }
    }
}

TEST_CASE("pictures without unknown pixels have no region, pictures of unknown pixels only have one") {
    Monitor monitor;
    const std::vector<Label> known(20, Label::foreground), unknown(20, Label::unknown);
    CHECK(Regions(known.data(), 4, 5, 2, {2, monitor}).all().empty());
    const Regions one(unknown.data(), 4, 5, 2, {2, monitor});
    REQUIRE(one.all().size() == 1);
    CHECK(one.all()[0].unknowns == 20);
    CHECK_FALSE(one.all()[0].meets_foreground);
    CHECK_FALSE(one.all()[0].meets_background);
}
