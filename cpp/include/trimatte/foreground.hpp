// Foreground estimation finds the colours of both layers from an image and its alpha.
#pragma once

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

struct MultilevelOptions {
    float regularization = 1e-5f;  // smoothness weight of every pair of neighbours
    float gradient_weight = 1.0f;  // smoothness weight that is added per difference in alpha
    int small_size = 32;           // levels whose sides are both at most this many pixels are small
    int small_iterations = 10;
    int big_iterations = 2;
    bool exact_composite = true;  // make alpha F + (1 - alpha) B equal to the image
    float low = 0, high = 1;      // range that the image and both layers stay within
    int threads = 1;
};

// The multi-level estimation of Germer et al., ICPR 2020. alpha: height x width. foreground and
// background are filled; they have the shape of the image (height x width x channels).
void multilevel(const ImageView& image, const float* alpha, const MultilevelOptions& options, float* foreground,
                float* background, Monitor& monitor);

}  // namespace trimatte
