// Tests the kernels of each instruction set that this machine has.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "reference/fused.hpp"
#include "simd/kernels.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// Returns the levels above the baseline. TRIMATTE_SIMD may exclude some.
std::vector<const simd::Kernels*> better_kernels() {
    std::vector<const simd::Kernels*> found;
#if defined(TRIMATTE_SIMD_LEVELS)
    const std::string best = simd::level_name();
    if (best != "baseline") {
        found.push_back(&simd::v3::kernels);
    }
#if TRIMATTE_SIMD_LEVELS > 2
    if (best == "v4") {
        found.push_back(&simd::v4::kernels);
    }
#endif
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

constexpr std::int64_t odd = 61;  // not a multiple of the length of any vector

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

constexpr std::int64_t run_pixels = 131;  // more than relax_layers takes at once

// The numbers of a run of pixels for the kernels of closed-form layers. Every plane has three
// rows with room around the run.
struct LayerNumbers {
    static constexpr std::size_t stride = run_pixels + 8, first = stride + 4;
    std::vector<float> alpha = random_numbers<float>(run_pixels, 11);
    std::vector<std::vector<float>> weights, planes;
    simd::LayerRun run{};

    LayerNumbers() {
        for (unsigned k = 0; k < 6; ++k) {
            weights.push_back(random_numbers<float>(run_pixels + 1, 12 + k));
        }
        for (unsigned k = 0; k < 6; ++k) {
            planes.push_back(random_numbers<float>(3 * stride, 20 + k));
        }
        const auto at = [&](std::size_t k) { return weights[k].data() + 1; };
        const auto distance = static_cast<std::int64_t>(stride);
        run = {run_pixels, distance, distance, alpha.data(), at(0), at(1), at(2), at(3), at(4), at(5)};
    }
    float* plane(std::size_t k) { return planes[k].data() + first; }
};

// Returns what the kernels of closed-form layers compute, and the sums of measure_layer.
std::vector<double> layer_results(const simd::Kernels& kernels, std::int64_t first, bool from_zero) {
    LayerNumbers n;
    std::vector<float> rest(run_pixels);
    std::vector<double> sums(4);
    kernels.restrict_layers(n.run, n.plane(0), n.plane(1), n.plane(2), n.plane(3), rest.data());
    std::vector<double> results(rest.begin(), rest.end());
    kernels.multiply_layers(n.run, n.plane(0), n.plane(1), n.plane(4), n.plane(5));
    kernels.relax_layers(n.run, n.plane(2), n.plane(3), first, from_zero, n.plane(0), n.plane(1));
    kernels.measure_layer(run_pixels, n.plane(0), n.plane(2), n.plane(4), n.plane(5), n.alpha.data(), false,
                          sums.data());
    for (const std::size_t k : {0, 1, 4, 5}) {
        results.insert(results.end(), n.plane(k), n.plane(k) + run_pixels);
    }
    kernels.advance_layer(run_pixels, 0.3f, 0.7f, n.plane(0), n.plane(1), n.plane(2), n.plane(3), n.plane(4),
                          n.plane(5));
    for (const std::size_t k : {2, 3, 4, 5}) {
        results.insert(results.end(), n.plane(k), n.plane(k) + run_pixels);
    }
    results.insert(results.end(), sums.begin(), sums.end());
    return results;
}

// Computes the same on one pixel after the other.
std::vector<double> slow_layer_results(std::int64_t first, bool from_zero) {
    LayerNumbers n;
    const simd::LayerRun& run = n.run;
    std::vector<double> rest, sums(4);
    const auto neighbours = [&](const float* x, std::int64_t i, bool of_difference) {
        const double own = of_difference ? static_cast<double>(x[i]) : 0.0;
        return run.beside[i - 1] * (own - x[i - 1]) + run.beside[i] * (own - x[i + 1]) +
               run.above[i] * (own - x[i - run.up]) + run.below[i] * (own - x[i + run.down]);
    };
    const float *F = n.plane(0), *B = n.plane(1), *r_F = n.plane(2), *r_B = n.plane(3);
    std::vector<double> new_F, new_B, out_F, out_B;
    for (std::int64_t i = 0; i < run_pixels; ++i) {
        const double a = run.alpha[i], b = 1 - a, mixed = a * F[i] + b * B[i];
        out_F.push_back(neighbours(F, i, true) + a * mixed);
        out_B.push_back(neighbours(B, i, true) + b * mixed);
        rest.push_back(b * (r_F[i] - neighbours(F, i, true)) - a * (r_B[i] - neighbours(B, i, true)));
        const double t_F = r_F[i] - (from_zero ? 0 : neighbours(F, i, false));
        const double t_B = r_B[i] - (from_zero ? 0 : neighbours(B, i, false));
        const bool is_taken = (i + first) % 2 == 0;
        new_F.push_back(is_taken ? run.FF[i] * t_F - run.FB[i] * t_B : from_zero ? 0 : F[i]);
        new_B.push_back(is_taken ? run.BB[i] * t_B - run.FB[i] * t_F : from_zero ? 0 : B[i]);
        sums[0] += new_F.back() * r_F[i];
        sums[1] += new_F.back() * out_F.back();
        sums[2] += new_F.back() * out_B.back();
        sums[3] = std::max(sums[3], std::abs(new_F.back()) * b);
    }
    std::vector<double> results = rest;
    for (const auto& part : {new_F, new_B, out_F, out_B}) {
        results.insert(results.end(), part.begin(), part.end());
    }
    std::vector<double> p, q, x, r;
    for (std::size_t i = 0; i < run_pixels; ++i) {
        p.push_back(new_F[i] + 0.7 * r_F[i]);
        q.push_back(new_B[i] + 0.7 * r_B[i]);
        x.push_back(out_F[i] + 0.3 * p.back());
        r.push_back(out_B[i] - 0.3 * q.back());
    }
    for (const auto& part : {p, q, x, r, sums}) {
        results.insert(results.end(), part.begin(), part.end());
    }
    return results;
}

// A matrix of m rows, stored by columns with some room after each.
struct Dense {
    std::int64_t rows, columns, stride;
    std::vector<double> data;

    Dense(std::int64_t m, std::int64_t n, unsigned seed)
        : rows(m),
          columns(n),
          stride((m + 7) / 8 * 8 + 8),
          data(random_numbers<double>(static_cast<std::size_t>(stride * n + 8), seed)) {}
    double& operator()(std::int64_t i, std::int64_t j) { return data[static_cast<std::size_t>(j * stride + i)]; }
};

// Runs the kernels of the Cholesky factorisation on a front of m rows, of which w are eliminated,
// and then the same operations on one number after the other.
void check_cholesky_kernels(const simd::Kernels& kernels, std::int64_t m, std::int64_t w) {
    Dense A(m, w, 5), C(m, w, 6), x(w, 1, 7);
    Dense B = A;
    for (std::int64_t j = 0; j < w; ++j) {
        C(j, j) += static_cast<double>(2 * w);
    }
    Dense expected = C;
    kernels.subtract_product(m, w, w, A.data.data(), A.stride, B.data.data(), B.stride, C.data.data(), C.stride, true);
    for (std::int64_t j = 0; j < w; ++j) {
        for (std::int64_t i = j; i < m; ++i) {
            for (std::int64_t l = 0; l < w; ++l) {
                expected(i, j) = minus(expected(i, j), A(i, l), B(j, l));
            }
            CHECK(C(i, j) == expected(i, j));
        }
        C(j, j) = expected(j, j) += static_cast<double>(20 * w);
    }
    const std::int64_t own = std::min<std::int64_t>(w, 8);
    CHECK(kernels.factor_columns(m, own, C.data.data(), C.stride) == own);
    for (std::int64_t j = 0; j < own; ++j) {
        for (std::int64_t i = j; i < m; ++i) {
            for (std::int64_t l = 0; l < j; ++l) {
                expected(i, j) = minus(expected(i, j), expected(i, l), expected(j, l));
            }
            expected(i, j) = i == j ? std::sqrt(expected(i, j)) : 1 / expected(j, j) * expected(i, j);
            CHECK(C(i, j) == expected(i, j));
        }
    }
    Dense D(m, own, 8), solved = D;
    kernels.solve_columns(m, own, C.data.data(), C.stride, D.data.data(), D.stride);
    Dense y(m, 1, 9), less = y, more = x;
    kernels.subtract_columns(m, w, A.data.data(), A.stride, x.data.data(), y.data.data());
    kernels.subtract_dots(m, w, A.data.data(), A.stride, less.data.data(), more.data.data());
    for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < own; ++j) {
            for (std::int64_t l = 0; l < j; ++l) {
                solved(i, j) = minus(solved(i, j), solved(i, l), expected(j, l));
            }
            solved(i, j) = 1 / expected(j, j) * solved(i, j);
            CHECK(D(i, j) == solved(i, j));
        }
        double sum = less(i, 0);
        for (std::int64_t j = 0; j < w; ++j) {
            const double product = x(j, 0) * A(i, j);
            sum -= product;
        }
        CHECK(y(i, 0) == sum);
    }
    for (std::int64_t j = 0; j < w; ++j) {
        double dot = 0;
        for (std::int64_t i = 0; i < m; ++i) {
            dot += less(i, 0) * A(i, j);
        }
        CHECK(more(j, 0) == doctest::Approx(x(j, 0) - dot).epsilon(1e-12));
    }
}

std::vector<double> dots(const simd::Kernels& kernels, std::int64_t m) {
    Dense A(m, 7, 5), x(7, 1, 7), y(m, 1, 9);
    kernels.subtract_dots(m, 7, A.data.data(), A.stride, y.data.data(), x.data.data());
    return {x.data.begin(), x.data.begin() + 7};
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
        CHECK(same_bits(dots(*kernels, odd), dots(simd::baseline::kernels, odd)));
        CHECK(same_bits(layer_results(*kernels, 1, false), layer_results(simd::baseline::kernels, 1, false)));
    }
}

TEST_CASE("the kernels of closed-form layers equal loops over single pixels") {
    for (const std::int64_t first : {0, 1}) {
        for (const bool from_zero : {false, true}) {
            const auto found = layer_results(simd::kernels(), first, from_zero);
            const auto expected = slow_layer_results(first, from_zero);
            REQUIRE(found.size() == expected.size());
            for (std::size_t i = 0; i < found.size(); ++i) {
                CHECK(std::abs(found[i] - expected[i]) <= 1e-5 * (1 + std::abs(expected[i])));
            }
        }
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

TEST_CASE("the Cholesky kernels round as the same loops over single numbers do") {
    std::vector<const simd::Kernels*> all = better_kernels();
    all.push_back(&simd::baseline::kernels);
    for (const simd::Kernels* kernels : all) {
        for (const std::int64_t w : {1, 2, 3, 5, 7, 8, 9, 13, 24, 31}) {
            for (const std::int64_t more : {0, 1, 3, 7, 8, 12, 17, 24, 30, 50}) {
                check_cholesky_kernels(*kernels, w + more, w);
            }
        }
    }
}

TEST_CASE("factor_columns names the first column whose pivot is not positive and finite") {
    std::vector<const simd::Kernels*> all = better_kernels();
    all.push_back(&simd::baseline::kernels);
    for (const simd::Kernels* kernels : all) {
        for (const double pivot : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
            for (std::int64_t bad = 0; bad < 5; ++bad) {
                Dense A(9, 5, 1);
                for (std::int64_t j = 0; j < 5; ++j) {
                    A(j, j) = j == bad ? pivot : 10;
                }
                CHECK(kernels->factor_columns(9, 5, A.data.data(), A.stride) == bad);
            }
        }
    }
}
