// Priors: guesses of alpha from the colours of what is known.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

// A network of one pixel and its place, trained on mixtures of known foreground and background colours.
struct CompositeNetworkOptions {
    std::vector<std::int64_t> hidden = {64, 64, 64};
    std::int64_t steps = 2000;
    std::int64_t batch = 256;
    double learning_rate = 8e-3;
    double gamma = 1.5;            // colours are mixed in powers of this
    std::int64_t reach = 15;       // colours are taken from known pixels this near to unknown ones
    std::int64_t neighbours = 64;  // a mixture is of two of that many nearest colours
    std::uint64_t seed = 0;
    int threads = 1;
};

// alpha: a plane of the image's size; unknown pixels are filled, in [0, 1], others left as they are. There must be
// unknown pixels, and known ones of both kinds.
void composite_network(const ImageView& image, const Label* labels, const CompositeNetworkOptions& options,
                       float* alpha, Monitor& monitor);

struct SamplingOptions {
    std::int64_t sweeps = 10;
    std::uint64_t seed = 0;
    int threads = 1;
};

// Global sampling: He, Rhemann, Rother, Tang, Sun, CVPR 2011. alpha as above; cost: the cost of the best pair of known
// colours at each unknown pixel, in the paper's units.
void global_sampling(const ImageView& image, const Label* labels, const SamplingOptions& options, float* alpha,
                     float* cost, Monitor& monitor);

}  // namespace trimatte
