// Foreground estimation: from an image and its alpha to the colours of both layers.
#pragma once

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

struct MultilevelOptions {
    float regularization = 1e-5f;  // smoothness that every pair of neighbours has
    float gradient_weight = 1.0f;  // smoothness added per difference in alpha
    int small_size = 32;           // levels with both sides at most this are small
    int small_iterations = 10;
    int big_iterations = 2;
    bool exact_composite = true;  // make alpha F + (1 - alpha) B equal the image
    float low = 0, high = 1;      // what the image and both layers stay within
    int threads = 1;
};

// Multi-level estimation of Germer et al., ICPR 2020. alpha: height x width. foreground and background:
// like the image (height x width x channels), filled.
void multilevel(const ImageView& image, const float* alpha, const MultilevelOptions& options, float* foreground,
                float* background, Monitor& monitor);

}  // namespace trimatte
