// Foreground estimation finds the colours of both layers from an image and its alpha. alpha has
// height x width numbers. foreground and background are filled; they have the shape of the image
// (height x width x channels).
#pragma once

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

// What all methods have in common.
struct LayerOptions {
    bool exact_composite = true;  // make alpha F + (1 - alpha) B equal to the image
    float low = 0, high = 1;      // range that the image and both layers stay within
    bool keep_solid = true;       // the image is the foreground where alpha is 1, the background where it is 0
    int threads = 1;
};

struct MultilevelSteps {
    float regularization = 1e-5f;  // smoothness weight of every pair of neighbours
    float gradient_weight = 1.0f;  // smoothness weight that is added per difference in alpha
    int small_size = 32;           // levels whose sides are both at most this many pixels are small
    int small_iterations = 10;
    int big_iterations = 2;
};

struct MultilevelOptions : LayerOptions, MultilevelSteps {};

// The multi-level estimation of Germer et al., ICPR 2020.
void multilevel(const ImageView& image, const float* alpha, const MultilevelOptions& options, float* foreground,
                float* background, Monitor& monitor);

// The same pixel after pixel, by one thread, with the layers that PyMatting 1.1.16 gives. The image
// is in [0, 1].
void multilevel_by_rows(const ImageView& image, const float* alpha, const MultilevelSteps& steps, float* foreground,
                        float* background, Monitor& monitor);

struct ClosedFormLayersOptions : LayerOptions {
    float regularization = 1e-5f;   // as in MultilevelSteps
    float gradient_weight = 1.0f;   // as in MultilevelSteps
    double tolerance = 1e-3;        // largest error of a colour
    std::int64_t iterations = 200;  // most iterations for a channel
};

// How the layers were found; each number is that of the worst channel.
struct LayersInfo {
    bool converged;
    std::int64_t iterations;
    double error_estimate;   // of the colours
    std::size_t peak_bytes;  // bytes of all arrays besides the layers
};

// The closed-form foreground and background of Levin et al., TPAMI 2008, Eq. 19.
LayersInfo closed_form_layers(const ImageView& image, const float* alpha, const ClosedFormLayersOptions& options,
                              float* foreground, float* background, Monitor& monitor);

struct BlurFusionOptions : LayerOptions {
    int radius = 90;  // windows have 2 radius + 1 pixels along a side
    // Radius of a second pass, which starts from the layers of the first; 0: there is none.
    int second_radius = 6;
};

// The blur fusion of Forte, ICIP 2021.
void blur_fusion(const ImageView& image, const float* alpha, const BlurFusionOptions& options, float* foreground,
                 float* background, Monitor& monitor);

}  // namespace trimatte
