#include "prior/shared_sampling/shared_sampling.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "simd/kernels.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

struct Result {
    std::vector<float> alpha, confidence, foreground, background;

    explicit Result(const Picture& image)
        : alpha(image.data.size() / static_cast<std::size_t>(image.channels)),
          confidence(alpha),
          foreground(image.data.size()),
          background(foreground) {}
    SharedSamples view() { return {alpha.data(), confidence.data(), foreground.data(), background.data()}; }
};

// A tuple of one random pixel in planes that are one float apart.
std::array<float, 10> some_pixel(test::Random& random) {
    std::array<float, 10> pixel;
    for (float& v : pixel) {
        v = static_cast<float>(random());
    }
    return pixel;
}

}  // namespace

TEST_CASE("pictures of all sizes, with windows and rays that reach beyond them") {
    for (const auto& [height, width] : {std::pair{1, 2}, std::pair{1, 3}, std::pair{2, 2}, std::pair{1, 200},
                                        std::pair{17, 65}, std::pair{40, 129}}) {
        for (const int channels : {1, 3}) {
            const Picture image = random_picture(height, width, channels);
            std::vector<Label> labels = columns_known(height, width);
            SharedSamplingOptions options;
            options.rays = 8;
            options.sharing_radius = 20;
            options.smoothing_radius = 20;
            std::vector<float> first;
            for (const int threads : {1, 2, 7}) {
                options.threads = threads;
                Result result(image);
                Monitor monitor;
                shared_sampling(image.view(), labels.data(), options, result.view(), monitor);
                for (const auto* plane : {&result.alpha, &result.confidence, &result.foreground, &result.background}) {
                    for (const float v : *plane) {
                        CHECK(v >= 0);
                        CHECK(v <= 1.000001f);
                    }
                }
                first = first.empty() ? result.foreground : first;
                CHECK(first == result.foreground);
            }
        }
    }
}

TEST_CASE("the nearest offsets come first") {
    const std::vector<sharing::Offset> offsets = sharing::offsets_by_length(3);
    REQUIRE(offsets.size() == 49);
    CHECK(offsets[0].distance2 == 0);
    for (std::size_t i = 1; i < offsets.size(); ++i) {
        CHECK(offsets[i].distance2 >= offsets[i - 1].distance2);
        CHECK(offsets[i].distance2 == offsets[i].y * offsets[i].y + offsets[i].x * offsets[i].x);
    }
}

TEST_CASE("the three lowest distortions and their numbers are those of a sort") {
    constexpr std::int64_t lanes = simd::tile_lanes;
    test::Random random(4);
    std::vector<float> C(3 * lanes), lowest(3 * lanes, 1e30f), which(3 * lanes, -1);
    for (float& v : C) {
        v = static_cast<float>(random());
    }
    std::vector<std::vector<std::pair<float, float>>> all(lanes);
    for (int number = 0; number < 50; ++number) {
        std::vector<float> tuples(7 * lanes);
        for (std::size_t i = 0; i < lanes; ++i) {
            const auto pixel = some_pixel(random);
            const Colour B{pixel[0], pixel[1], pixel[2]}, F{pixel[3], pixel[4], pixel[5]};
            for (std::size_t c = 0; c < 3; ++c) {
                tuples[c * lanes + i] = B[c];
                tuples[(3 + c) * lanes + i] = F[c] - B[c];
            }
            tuples[6 * lanes + i] = 1 / distance2(F, B);
            const float M = sharing::mixture_of({C[i], C[lanes + i], C[2 * lanes + i]}, F, B).distortion;
            all[i].emplace_back(std::max(M * M, 1e-6f), static_cast<float>(number));
        }
        simd::kernels().keep_lowest(lanes, C.data(), tuples.data(), lanes, static_cast<float>(number), lowest.data(),
                                    which.data());
    }
    for (std::size_t i = 0; i < lanes; ++i) {
        std::stable_sort(all[i].begin(), all[i].end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t k = 0; k < 3; ++k) {
            CHECK(lowest[k * lanes + i] == doctest::Approx(all[i][k].first).epsilon(1e-3));
            CHECK(which[k * lanes + i] == all[i][k].second);
        }
    }
}

TEST_CASE("a pixel whose rays meet nothing takes the nearest known pixels") {
    Picture image(60, 80, 3, 0.5);
    std::vector<Label> labels(60 * 80, Label::unknown);
    labels[0] = Label::background;
    labels[60 * 80 - 1] = Label::foreground;
    image.at(0, 0, 0) = 0;
    image.at(59, 79, 0) = 1;
    Monitor monitor;
    const Context context{2, monitor};
    const sharing::Picture picture = sharing::expand(image.view(), labels.data(), 0, 0, context);
    const Buffer<sharing::Tuple> tuples = sharing::gather(picture, 1, context);
    REQUIRE(tuples.size() == 60 * 80 - 2);
    for (const sharing::Tuple& t : tuples) {
        CHECK(t.F[0] == 1.0f);
        CHECK(t.B[0] == 0.0f);
    }
}
