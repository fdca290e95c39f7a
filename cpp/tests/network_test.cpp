#include "trimatte/network.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "reference/network_sum.hpp"
#include "simd/kernels.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

std::vector<float> numbers(std::int64_t size, unsigned seed) {
    Random random(seed);
    std::vector<float> v;
    for (std::int64_t i = 0; i < size; ++i) {
        v.push_back(static_cast<float>(random() - 0.5));
    }
    return v;
}

void fill_batch(std::int64_t step, std::int64_t first, std::int64_t count, float* inputs, float* targets) {
    for (std::int64_t i = 0; i < count; ++i) {
        const std::vector<float> x = numbers(3, static_cast<unsigned>(1000 * step + first + i));
        std::copy(x.begin(), x.end(), inputs + 3 * i);
        targets[i] = x[0] * x[1] + std::fabs(x[2]);
    }
}

}  // namespace

TEST_CASE("products equal three loops, to the bit") {
    for (const std::int64_t m : {1, 2, 6, 7, 64}) {
        for (const std::int64_t n : {8, 16, 56}) {
            for (const std::int64_t k : {0, 1, 5, 75}) {
                for (const bool transposed : {false, true}) {
                    const std::vector<float> A = numbers(m * k + 1, 1), B = numbers(k * n + 1, 2),
                                             start = numbers(n, 3);
                    const std::int64_t a_row = transposed ? 1 : k, a_column = transposed ? m : 1;
                    for (const float* first : {static_cast<const float*>(nullptr), start.data()}) {
                        std::vector<float> C(static_cast<std::size_t>(m * n), -1);
                        simd::kernels().matrix_product(m, n, k, A.data(), a_row, a_column, B.data(), n, first, 0,
                                                       C.data(), n);
                        std::vector<float> expected(C.size());
                        for (std::int64_t i = 0; i < m; ++i) {
                            for (std::int64_t j = 0; j < n; ++j) {
                                float sum = first == nullptr ? 0 : first[j];
                                for (std::int64_t l = 0; l < k; ++l) {
                                    const float a = A[static_cast<std::size_t>(i * a_row + l * a_column)];
                                    const float b = B[static_cast<std::size_t>(l * n + j)];
                                    sum = network_sum(a, b, sum);
                                }
                                expected[static_cast<std::size_t>(i * n + j)] = sum;
                            }
                        }
                        CHECK(same_bits(C, expected));
                    }
                }
            }
        }
    }
}

TEST_CASE("training gives the same bits for any number of threads, and lowers the error") {
    std::vector<Buffer<float>> weights;
    for (const int threads : {1, 2, 7}) {
        Network network({3, 20, 17, 1});
        network.initialise(5, 1, 0);
        Trainer trainer(network, 200, threads);
        Monitor monitor;
        const double before = trainer.step(1e-2, fill_batch, monitor);
        double after = 0;
        for (int step = 0; step < 100; ++step) {
            after = trainer.step(1e-2, fill_batch, monitor);
        }
        CHECK(after < 0.1 * before);
        for (std::size_t l = 0; l < 3; ++l) {
            const Layer& layer = network.layers()[l];
            // The numbers that pad a row stay zero.
            for (std::int64_t i = 0; i <= layer.inputs; ++i) {
                for (std::int64_t j = layer.outputs; j < layer.padded; ++j) {
                    CHECK(layer.weight[i * layer.padded + j] == 0);
                }
            }
            if (threads == 1) {
                weights.push_back(std::move(network.layers()[l].weight));
            } else {
                CHECK(same_bits(weights[l], layer.weight));
            }
        }
    }
}

TEST_CASE("a prediction does not depend on how many are made at once") {
    Network network({3, 20, 1});
    network.initialise(5, 1, 0);
    const std::vector<float> x = numbers(3 * 500, 4);
    const auto fill = [&](std::int64_t first, std::int64_t count, float* to) {
        std::copy_n(x.data() + 3 * first, 3 * count, to);
    };
    std::vector<float> all(500), one(1);
    Predictor predict(network);
    predict(500, fill, all.data());
    for (std::int64_t i : {0, 63, 64, 499}) {
        predict(1, [&](std::int64_t, std::int64_t, float* to) { std::copy_n(x.data() + 3 * i, 3, to); }, one.data());
        CHECK(one[0] == all[static_cast<std::size_t>(i)]);
    }
}
