#include "trimatte/stencil.hpp"

#include <doctest/doctest.h>

#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

std::vector<Label> random_labels(std::int64_t height, std::int64_t width, unsigned seed) {
    std::vector<Label> labels(static_cast<std::size_t>(height * width));
    Random random(seed);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            // The picture has patches of unknown pixels with gaps of all sizes, and single unknown
            // pixels.
            const bool patch =
                std::sin(0.11 * static_cast<double>(x * x % 97)) + std::cos(0.2 * static_cast<double>(y)) > 0.3;
            const double r = random();
            labels[static_cast<std::size_t>(y * width + x)] = (patch && r < 0.9) || r < 0.01 ? Label::unknown
                                                              : r < 0.5                      ? Label::foreground
                                                                                             : Label::background;
        }
    }
    return labels;
}

double difference(const Stencil& a, const Stencil& b) {
    REQUIRE(a.grid.slots() == b.grid.slots());
    double most = 0;
    for (std::int64_t i = 0; i < a.hi.size(); ++i) {
        most =
            std::max(most, std::abs(static_cast<double>(a.hi[i]) + a.lo[i] - (static_cast<double>(b.hi[i]) + b.lo[i])));
    }
    for (std::int64_t i = 0; i < a.grid.slots(); ++i) {
        most = std::max(most, std::abs(a.scale[i] - b.scale[i]));
        most = std::max(most, std::abs(a.rhs[i] - b.rhs[i]));
    }
    return most;
}

}  // namespace

TEST_CASE("a stencil made from the picture equals the sparse rows") {
    for (const int channels : {1, 3}) {
        for (const auto& [height, width] : {std::pair{50, 83}, std::pair{97, 31}, std::pair{6, 12}}) {
            const Picture image = random_picture(height, width, channels);
            const std::vector<Label> labels = random_labels(height, width, 3);
            std::vector<float> guess, confidence;
            Random random(3);
            for (std::size_t i = 0; i < labels.size(); ++i) {
                guess.push_back(static_cast<float>(random()));
                confidence.push_back(static_cast<float>(random()));
            }
            for (const auto& [weight, prior] : {std::pair{0.0, Prior{}}, std::pair{100.0, Prior{}},
                                                std::pair{0.0, Prior{guess.data(), confidence.data()}},
                                                std::pair{100.0, Prior{guess.data(), confidence.data()}}}) {
                Monitor monitor;
                const auto make = [&, w = weight, p = prior](bool stencil) {
                    const ClosedFormOptions options{1e-5, 1, 2, stencil, p};
                    return w > 0 ? closed_form_soft(image.view(), labels.data(), w, options, monitor)
                                 : closed_form(image.view(), labels.data(), options, monitor);
                };
                const Problem direct = make(true);
                const Problem sparse = make(false);
                CHECK(same_bits(direct.pixel, sparse.pixel));
                const Stencil converted = make_stencil(sparse);
                CHECK(difference(*direct.stencil, converted) < 1e-12);
                const std::int64_t n = converted.grid.slots();
                for (std::int64_t i = 0; i < channels * n; ++i) {
                    if (converted.scale[i % n] > 0) {
                        CHECK(direct.stencil->colours[i] == converted.colours[i]);
                    }
                }
            }
        }
    }
}

TEST_CASE("any number of threads gives the same bits") {
    const Picture image = random_picture(300, 64, 3);
    const std::vector<Label> labels = random_labels(300, 64, 5);
    const auto make = [&](int threads) {
        Monitor monitor;
        return closed_form_soft(image.view(), labels.data(), 10, {1e-7, 1, threads, true}, monitor);
    };
    const Problem one = make(1);
    for (const int threads : {2, 7}) {
        const Problem many = make(threads);
        CHECK(same_bits(one.stencil->hi, many.stencil->hi));
        CHECK(same_bits(one.stencil->lo, many.stencil->lo));
        CHECK(same_bits(one.stencil->scale, many.stencil->scale));
        CHECK(same_bits(one.stencil->rhs, many.stencil->rhs));
    }
}

TEST_CASE("a stencil needs radius 1, and rows that reach no further") {
    const Picture image = random_picture(12, 12, 3);
    const std::vector<Label> labels = columns_known(12, 12);
    Monitor monitor;
    CHECK_THROWS_AS(closed_form(image.view(), labels.data(), {1e-5, 2, 1, true}, monitor), std::invalid_argument);
    const Problem wide = closed_form(image.view(), labels.data(), {1e-5, 2, 1}, monitor);
    CHECK_THROWS_AS(make_stencil(wide), std::invalid_argument);
}
