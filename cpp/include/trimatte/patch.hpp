// Learning alpha from the patches around known pixels. A patch is the (2 radius + 1)^2 pixels around one, row by row,
// channels interleaved; beyond the picture's border its nearest pixel is repeated.
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

// Weights w (patch_size + 1 numbers, the last is the bias) of least sum over the known pixels of (w . patch - alpha)^2,
// plus ridge * (number of known pixels) * (sum of squares of w but the bias); among several, the shortest w: what the
// pseudo-inverse gives with singular values below max(examples, numbers) * 2^-52 of the largest taken as zero.
std::vector<double> patch_regression(const ImageView& image, const Label* labels, int radius, double ridge, int threads,
                                     Monitor& monitor);

// alpha = w . patch, held in [0, 1]; of all pixels, or of the unknown ones if there are labels (others stay).
void patch_regression_predict(const ImageView& image, const Label* labels, int radius, const std::vector<double>& w,
                              int threads, float* alpha, Monitor& monitor);

// What a patch network sees of a pixel: its patch, and one number of each plane of `extra` (count planes of the image's
// size). Numbers are used as (v - mean) * scale; means and scales are given for each channel, then for each plane.
struct PatchInputs {
    int radius;
    std::int64_t extra_count;
    const float* extra;
    std::vector<float> mean, scale;
};

struct PatchNetworkOptions {
    std::int64_t batch = 256;
    std::int64_t steps = 2000;  // at most
    double learning_rate = 3e-3;
    bool balanced = true;     // as many examples of foreground as of background
    double validation = 0.1;  // part of the known pixels that is held out
    std::int64_t check_every = 50;
    std::int64_t patience = 10;  // checks without a better result after which training stops
    std::uint64_t seed = 0;
    int threads = 1;
};

struct PatchTraining {
    std::int64_t steps;
    std::vector<double> training_loss;    // mean squared error of the batches between two checks
    std::vector<double> validation_loss;  // at each check
};

// Trains the network in place and leaves it with the weights of the best check.
PatchTraining patch_network(const ImageView& image, const Label* labels, const PatchInputs& inputs,
                            const PatchNetworkOptions& options, Network& network, Monitor& monitor);

// As patch_regression_predict.
void patch_network_predict(const ImageView& image, const Label* labels, const PatchInputs& inputs,
                           const Network& network, int threads, float* alpha, Monitor& monitor);

}  // namespace trimatte
