// The kernels of each instruction set that this machine has.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "simd/kernels.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// Those better than the baseline. TRIMATTE_SIMD may leave some out.
std::vector<const simd::Kernels*> better_kernels() {
    std::vector<const simd::Kernels*> found;
#if defined(TRIMATTE_SIMD_LEVELS)
    const std::string best = simd::level_name();
    if (best != "baseline") {
        found.push_back(&simd::v3::kernels);
    }
    if (best == "v4") {
        found.push_back(&simd::v4::kernels);
    }
#endif
    return found;
}

template <typename T>
std::vector<T> random_numbers(std::size_t count, unsigned seed) {
    Random random(seed);
    std::vector<T> numbers(count);
    for (T& v : numbers) {
        v = static_cast<T>(random());
    }
    return numbers;
}

constexpr std::int64_t odd = 61;  // not a multiple of any vector's length

std::vector<double> closed_form_planes(const simd::Kernels& kernels, int channels) {
    constexpr std::int64_t stride = 50;
    const auto colours = random_numbers<double>(static_cast<std::size_t>(9 * stride), 1);
    const double* const rows[] = {colours.data(), colours.data() + 3 * stride, colours.data() + 6 * stride};
    simd::Lanes y[27];
    std::vector<double> planes(static_cast<std::size_t>(3 * 13 * stride + 8));
    double* const planes_at[] = {planes.data() + 2, planes.data() + 13 * stride + 2, planes.data() + 26 * stride + 2};
    for (const int count : {simd::lanes, 13, 1}) {
        kernels.whiten(channels, rows, stride, count, 1e-7 / 9, y);
        kernels.add_entries(channels, 1.0 / 9, y, count, stride, planes_at);
    }
    return planes;
}

std::vector<float> multilevel_layers(const simd::Kernels& kernels) {
    const auto alpha = random_numbers<float>(2 * odd + 1, 2);
    const auto image = random_numbers<float>(odd, 3);
    std::vector<std::vector<float>> weight(5, std::vector<float>(odd));
    for (std::size_t k = 0; k < 4; ++k) {
        const auto neighbour = random_numbers<float>(2 * odd, 4 + static_cast<unsigned>(k));
        kernels.weigh(alpha.data(), neighbour.data(), odd, 1e-5f, 1.0f, weight[k].data());
    }
    kernels.normalise(alpha.data(), odd, weight[0].data(), weight[1].data(), weight[2].data(), weight[3].data(),
                      weight[4].data());
    const auto around = random_numbers<float>(8 * odd, 9);
    const float *at = around.data(), *w[] = {weight[0].data(), weight[1].data(), weight[2].data(), weight[3].data()};
    const float* const F_at[] = {at, at + odd, at + 2 * odd, at + 3 * odd};
    const float* const B_at[] = {at + 4 * odd, at + 5 * odd, at + 6 * odd, at + 7 * odd};
    std::vector<float> layers(4 * odd);
    float *F = layers.data(), *B = F + odd;
    kernels.update(odd, alpha.data(), image.data(), w, weight[4].data(), F_at, B_at, {0, 1}, F, B);
    std::copy(F, F + 2 * odd, F + 2 * odd);
    kernels.make_exact(alpha.data(), image.data(), odd, {0, 1}, F, B);
    return layers;
}

}  // namespace

TEST_CASE("the kernels in use have a name") {
    const std::string name = simd::level_name();
    CHECK((name == "baseline" || name == "v3" || name == "v4"));
}

TEST_CASE("every instruction set gives the same bits") {
    for (const simd::Kernels* kernels : better_kernels()) {
        for (const int channels : {1, 3}) {
            CHECK(same_bits(closed_form_planes(*kernels, channels),
                            closed_form_planes(simd::baseline::kernels, channels)));
        }
        CHECK(same_bits(multilevel_layers(*kernels), multilevel_layers(simd::baseline::kernels)));
    }
}

TEST_CASE("make_exact moves both layers by least where that is enough") {
    const float alpha[] = {0.5f, 0.25f, 0.75f, 0.5f, 0.9f};
    const float I[] = {0.5f, 0.3f, 0.9f, 1.0f, 0.05f};
    float F[] = {0.4f, 0.5f, 0.5f, 0.2f, 0.9f};
    float B[] = {0.4f, 0.1f, 0.5f, 0.2f, 0.9f};
    simd::baseline::kernels.make_exact(alpha, I, 5, {0, 1}, F, B);
    for (int k = 0; k < 5; ++k) {
        CHECK(alpha[k] * F[k] + (1 - alpha[k]) * B[k] == doctest::Approx(I[k]).epsilon(1e-6));
        CHECK(F[k] >= 0);
        CHECK(F[k] <= 1);
        CHECK(B[k] >= 0);
        CHECK(B[k] <= 1);
    }
    CHECK(F[0] == doctest::Approx(0.5));
    CHECK(B[0] == doctest::Approx(0.5));
}
