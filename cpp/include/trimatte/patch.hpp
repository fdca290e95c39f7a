// Learns alpha from the patches around known pixels. A patch is the (2 radius + 1)^2 pixels around
// a pixel, row by row, channels interleaved. Beyond the border of the picture the nearest pixel is
// repeated.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/network.hpp"

namespace trimatte {

inline std::int64_t patch_size(int radius, int channels) {
    const std::int64_t side = 2 * static_cast<std::int64_t>(radius) + 1;
    return side * side * channels;
}

// Returns the weights w (patch_size + 1 numbers, of which the last is the bias) that minimise the
// sum of (w . patch - alpha)^2 over the known pixels plus ridge * (number of known pixels) * (sum
// of squares of w without the bias). If several w do, the shortest is returned: the one that the
// pseudo-inverse gives if singular values below max(examples, numbers) * 2^-52 times the largest
// count as zero.
std::vector<double> patch_regression(const ImageView& image, const Label* labels, int radius, double ridge, int threads,
                                     Monitor& monitor);

// Sets alpha = w . patch, clamped to [0, 1], for all pixels, or for the unknown pixels only if
// there are labels.
void patch_regression_predict(const ImageView& image, const Label* labels, int radius, const std::vector<double>& w,
                              int threads, float* alpha, Monitor& monitor);

// The inputs of a patch network for a pixel: its patch, and one number from each plane of `extra`
// (extra_count planes of the size of the image). Each number v enters as (v - mean) * scale. Means
// and scales are given for each channel, then for each plane.
struct PatchInputs {
    int radius;
    std::int64_t extra_count;
    const float* extra;
    std::vector<float> mean, scale;
};

struct PatchNetworkOptions {
    std::int64_t batch = 256;
    std::int64_t steps = 2000;  // the largest number of steps
    double learning_rate = 3e-3;
    bool balanced = true;     // whether foreground and background get the same number of examples
    double validation = 0.1;  // part of the known pixels that is held out for validation
    std::int64_t check_every = 50;
    // Number of checks without a better result after which training stops.
    std::int64_t patience = 10;
    std::uint64_t seed = 0;
    int threads = 1;
};

struct PatchTraining {
    std::int64_t steps;
    std::vector<double> training_loss;    // mean squared error of the batches between two checks
    std::vector<double> validation_loss;  // mean squared error at each check
};

// Trains the network in place, and leaves it with the weights of the best check.
PatchTraining patch_network(const ImageView& image, const Label* labels, const PatchInputs& inputs,
                            const PatchNetworkOptions& options, Network& network, Monitor& monitor);

// Predicts alpha for the pixels that patch_regression_predict would fill.
void patch_network_predict(const ImageView& image, const Label* labels, const PatchInputs& inputs,
                           const Network& network, int threads, float* alpha, Monitor& monitor);

}  // namespace trimatte
