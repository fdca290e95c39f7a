#include "trimatte/fusion.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "reference/network_sum.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr std::int64_t count = 5;  // planes besides colours and labels
constexpr std::int64_t maps = 3 + count + 4;

// A picture of random numbers, with known and unknown pixels in blobs.
struct Scene {
    std::int64_t height, width;
    Picture image;
    std::vector<Label> labels;
    std::vector<float> planes;

    Scene(std::int64_t height_, std::int64_t width_, unsigned seed)
        : height(height_), width(width_), image(height_, width_, 3) {
        test::Random random(seed);
        for (double& v : image.data) {
            v = random();
        }
        for (std::int64_t p = 0; p < height * width; ++p) {
            const double wave =
                std::sin(0.05 * static_cast<double>(p % width)) + std::cos(0.07 * static_cast<double>(p / width));
            labels.push_back(wave > 0.9 ? Label::foreground : wave < -0.5 ? Label::background : Label::unknown);
        }
        for (std::int64_t i = 0; i < count * height * width; ++i) {
            planes.push_back(static_cast<float>(random()));
        }
    }
    FusionInputs inputs() const { return {image.view(), labels.data(), planes.data(), count}; }
};

FusionNetwork random_network(unsigned seed) {
    test::Random random(seed);
    FusionNetwork network;
    network.layers.emplace_back(9, maps, 8, 1);
    network.layers.emplace_back(9, 8, 8, 3);
    network.layers.emplace_back(9, 8, 8, 2);
    network.layers.emplace_back(1, 8, 1, 1);
    for (Convolution& layer : network.layers) {
        for (std::int64_t i = 0; i < layer.weight.size(); ++i) {
            layer.weight[i] = i % layer.padded < layer.outputs ? static_cast<float>(random() - 0.5) / 3 : 0.0f;
        }
    }
    return network;
}

// The twin convolves whole planes.
std::vector<float> convolved(const std::vector<float>& in, std::int64_t height, std::int64_t width,
                             const Convolution& layer) {
    std::vector<float> out(static_cast<std::size_t>(height * width * layer.outputs));
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            for (std::int64_t o = 0; o < layer.outputs; ++o) {
                float sum = layer.weight[layer.taps * layer.inputs * layer.padded + o];
                for (std::int64_t tap = 0; tap < layer.taps; ++tap) {
                    const std::int64_t sy = y + (layer.taps == 1 ? 0 : layer.dilation * (tap / 3 - 1));
                    const std::int64_t sx = x + (layer.taps == 1 ? 0 : layer.dilation * (tap % 3 - 1));
                    const bool inside = sy >= 0 && sy < height && sx >= 0 && sx < width;
                    for (std::int64_t i = 0; i < layer.inputs; ++i) {
                        const float v =
                            inside ? in[static_cast<std::size_t>((sy * width + sx) * layer.inputs + i)] : 0.0f;
                        sum = network_sum(v, layer.weight[(tap * layer.inputs + i) * layer.padded + o], sum);
                    }
                }
                out[static_cast<std::size_t>((y * width + x) * layer.outputs + o)] = sum;
            }
        }
    }
    return out;
}

std::vector<float> twin(const Scene& scene, const FusionNetwork& network) {
    Monitor monitor;
    std::vector<float> h(static_cast<std::size_t>(scene.height * scene.width * maps));
    make_fusion_maps(scene.inputs(), h.data(), {1, monitor});
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
        std::vector<float> out = convolved(h, scene.height, scene.width, network.layers[l]);
        if (l + 1 < network.layers.size()) {
            for (std::size_t i = 0; i < out.size(); ++i) {
                const float rectified = out[i] > 0 ? out[i] : 0;
                out[i] = l == 0 ? rectified : h[i] + rectified * 0.5f;
            }
        }
        h = std::move(out);
    }
    return h;
}

// The mean of two networks' answers times 1 / (1 + (s / (0.7 m))²), each window by itself, and 0 at
// known pixels.
std::vector<float> trusted(const Scene& scene, const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> out(a.size());
    for (std::int64_t y = 0; y < scene.height; ++y) {
        for (std::int64_t x = 0; x < scene.width; ++x) {
            const auto p = static_cast<std::size_t>(y * scene.width + x);
            if (scene.labels[p] != Label::unknown) {
                continue;
            }
            double means = 0, variances = 0;
            for (std::int64_t v = std::max<std::int64_t>(0, y - 7); v < std::min(scene.height, y + 8); ++v) {
                for (std::int64_t u = std::max<std::int64_t>(0, x - 7); u < std::min(scene.width, x + 8); ++u) {
                    const auto q = static_cast<std::size_t>(v * scene.width + u);
                    if (scene.labels[q] == Label::unknown) {
                        means += std::pow((a[q] + b[q]) / 2, 2);
                        variances += std::pow((a[q] - b[q]) / 2, 2);
                    }
                }
            }
            out[p] = static_cast<float>((a[p] + b[p]) / 2 / (1 + variances / (0.7 * 0.7 * means)));
        }
    }
    return out;
}

}  // namespace

TEST_CASE("distances equal those to the nearest of all pixels of the label") {
    const Scene scene(37, 53, 1);
    std::vector<float> found(scene.labels.size());
    Monitor monitor;
    for (const Label label : {Label::background, Label::foreground}) {
        distance_to(label, scene.labels.data(), scene.height, scene.width, found.data(), {2, monitor});
        for (std::int64_t p = 0; p < scene.height * scene.width; ++p) {
            double nearest = std::numeric_limits<double>::infinity();
            for (std::int64_t q = 0; q < scene.height * scene.width; ++q) {
                if (scene.labels[static_cast<std::size_t>(q)] == label) {
                    nearest = std::min(nearest, std::hypot(static_cast<double>(p / scene.width - q / scene.width),
                                                           static_cast<double>(p % scene.width - q % scene.width)));
                }
            }
            CHECK(found[static_cast<std::size_t>(p)] == doctest::Approx(nearest).epsilon(1e-6));
        }
    }
}

TEST_CASE("distances to a label that no pixel has are infinite") {
    const std::vector<Label> labels(20, Label::unknown);
    std::vector<float> found(labels.size(), 0);
    Monitor monitor;
    distance_to(Label::foreground, labels.data(), 4, 5, found.data(), {1, monitor});
    for (const float d : found) {
        CHECK(std::isinf(d));
    }
}

namespace {

// Products of pairs of columns round otherwise than the twin's sums.
void check_correction(const Scene& scene) {
    const FusionNetwork network = random_network(4);
    const std::vector<float> expected = twin(scene, network);
    std::vector<float> first;
    for (const int threads : {1, 2, 5}) {
        std::vector<float> found(scene.labels.size(), 7.0f);
        Monitor monitor;
        fusion_correction(scene.inputs(), {&network}, found.data(), {threads, monitor});
        for (std::size_t p = 0; p < found.size(); ++p) {
            const float right = scene.labels[p] == Label::unknown ? expected[p] : 7.0f;
            REQUIRE(std::abs(found[p] - right) < 2e-6f);
        }
        first = first.empty() ? found : first;
        REQUIRE(same_bits(found, first));
    }
}

}  // namespace

TEST_CASE("the correction equals convolutions of whole planes, with the same bits for any number of threads") {
    // Two tiles across, one and a bit down; unknown pixels at the border.
    check_correction(Scene(135, 190, 3));
}

TEST_CASE("the correction of a pixel has the same bits whatever else is unknown") {
    Scene scene(60, 250, 6);
    Monitor monitor;
    std::vector<float> all(scene.labels.size()), few(scene.labels.size());
    for (Label& label : scene.labels) {
        label = Label::unknown;
    }
    // The maps hold the labels, so that the network must not see them.
    FusionNetwork blind = random_network(4);
    for (std::int64_t tap = 0; tap < 9; ++tap) {
        for (std::int64_t map = 3 + count; map < maps; ++map) {
            std::fill_n(blind.layers.front().weight.data() + (tap * maps + map) * 8, 8, 0.0f);
        }
    }
    fusion_correction(scene.inputs(), {&blind}, all.data(), {2, monitor});
    for (std::size_t p = 0; p < scene.labels.size(); ++p) {
        scene.labels[p] = p % 37 == 0 ? Label::unknown : Label::background;
    }
    fusion_correction(scene.inputs(), {&blind}, few.data(), {2, monitor});
    for (std::size_t p = 0; p < few.size(); p += 37) {
        REQUIRE(same_bits(std::vector<float>{few[p]}, std::vector<float>{all[p]}));
    }
}

TEST_CASE("several networks give the mean of their corrections, less where they disagree") {
    const Scene scene(60, 70, 3);
    const FusionNetwork one = random_network(4), other = random_network(5);
    const std::vector<float> a = twin(scene, one), b = twin(scene, other);
    const std::vector<float> expected = trusted(scene, a, b);
    std::vector<float> first;
    for (const int threads : {1, 2, 5}) {
        std::vector<float> found(scene.labels.size());
        Monitor monitor;
        fusion_correction(scene.inputs(), {&one, &other}, found.data(), {threads, monitor});
        for (std::size_t p = 0; p < found.size(); ++p) {
            REQUIRE(std::abs(found[p] - expected[p]) < 2e-6f);
        }
        first = first.empty() ? found : first;
        REQUIRE(same_bits(found, first));
    }
    std::vector<float> same(scene.labels.size());
    Monitor monitor;
    fusion_correction(scene.inputs(), {&one, &one}, same.data(), {2, monitor});
    for (std::size_t p = 0; p < same.size(); ++p) {
        REQUIRE(std::abs(same[p] - (scene.labels[p] == Label::unknown ? a[p] : 0.0f)) < 2e-6f);
    }
}

TEST_CASE("the correction of single unknown pixels, rows apart, equals convolutions of whole planes") {
    Scene scene(135, 190, 5);
    for (Label& label : scene.labels) {
        label = Label::background;
    }
    for (const auto& [y, x] : {std::pair{0, 3}, {20, 90}, {21, 10}, {60, 127}, {60, 128}, {134, 189}}) {
        scene.labels[static_cast<std::size_t>(y * scene.width + x)] = Label::unknown;
    }
    check_correction(scene);
}
