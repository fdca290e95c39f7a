// Priors are guesses of alpha from the colours of known pixels.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// Options of a network whose input is one pixel and its place. It is trained on mixtures of known
// foreground and background colours.
struct CompositeNetworkOptions {
    std::vector<std::int64_t> hidden = {64, 64, 64};
    std::int64_t steps = 2000;
    std::int64_t batch = 256;
    double learning_rate = 8e-3;
    double gamma = 1.5;  // the power to which colours are raised before they are mixed
    // Colours come from known pixels at most this many pixels from an unknown one.
    std::int64_t reach = 15;
    std::int64_t neighbours = 64;  // a mixture takes two of this number of nearest colours
    std::uint64_t seed = 0;
    int threads = 1;
};

// alpha: a plane of the size of the image, whose unknown pixels are filled with numbers in [0, 1];
// the others stay. There must be unknown pixels, and known pixels of both kinds.
void composite_network(const ImageView& image, const Label* labels, const CompositeNetworkOptions& options,
                       float* alpha, Monitor& monitor);

struct SamplingOptions {
    std::int64_t sweeps = 10;
    std::uint64_t seed = 0;
    int threads = 1;
};

// Global sampling by He, Rhemann, Rother, Tang, Sun, CVPR 2011. alpha is filled as above. cost
// receives the cost of the best pair of known colours at each unknown pixel, in the units of the
// paper.
void global_sampling(const ImageView& image, const Label* labels, const SamplingOptions& options, float* alpha,
                     float* cost, Monitor& monitor);

struct SharedSamplingOptions {
    // Unknown pixels within so many pixels of a known one become known if their colours are not
    // farther apart than this, as a distance of colours in [0, 1].
    std::int64_t expansion_radius = 5;
    double expansion_threshold = 0.03;
    std::int64_t rays = 4;              // of each pixel, at most 8
    std::int64_t sharing_radius = 7;    // half the width of the window whose pixels share samples
    std::int64_t smoothing_radius = 2;  // half the width of the window of the smoothing
    bool own_colours = true;            // whether a colour near that of a sample takes its place
    int threads = 1;
};

// Planes of the size of the image. Unknown pixels are filled: alpha and confidence with numbers in
// [0, 1], the colours, which are interleaved, with numbers in the range of the image. The colours
// of known pixels are those of the image, and the rest stays. Both colours may be null.
struct SharedSamples {
    float* alpha;
    float* confidence;
    float* foreground;
    float* background;
};

// Shared sampling by Gastal, Oliveira, Eurographics 2010. There must be unknown pixels, and known
// pixels of both kinds.
void shared_sampling(const ImageView& image, const Label* labels, const SharedSamplingOptions& options,
                     const SharedSamples& out, Monitor& monitor);

struct KnownBackgroundOptions {
    double noise = 0.01;           // standard deviation of the noise of a channel, where 1 is white
    std::int64_t candidates = 40;  // near foreground colours of a pixel, and as many random ones
    std::uint64_t seed = 0;
    int threads = 1;
};

// Compares pixels with mixtures of a known background, a picture of the same size and channels, with
// known foreground colours. alpha and confidence are planes; unknown pixels are filled with numbers
// in [0, 1]. There must be known foreground.
void known_background(const ImageView& image, const ImageView& background, const Label* labels,
                      const KnownBackgroundOptions& options, float* alpha, float* confidence, Monitor& monitor);

// Finds the least squared distance of `count` colours to mixtures of their backgrounds with one of the
// foreground colours. All colours are three floats in a row; miss2 has `count` places. There must be
// a foreground colour.
void miss_of_mixtures(const float* colours, const float* background, std::int64_t count, const float* foreground,
                      std::int64_t foregrounds, float* miss2, const Context& context);

}  // namespace trimatte
