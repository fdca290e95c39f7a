// Error measures in which a pixel depends on others. All arrays are height x width; `region` marks
// the pixels that count.
#pragma once

#include <cstdint>

#include "trimatte/monitor.hpp"

namespace trimatte {

struct Mattes {
    const double* alpha;
    const double* truth;
    const std::uint8_t* region;
    std::int64_t height, width;

    std::int64_t pixels() const { return height * width; }
};

// The sum over the region of (|grad alpha| - |grad truth|)². The gradient is a correlation with
// derivatives of a Gaussian of standard deviation sigma in pixels; the filters have unit 2-norm.
// Beyond the border the nearest pixel is repeated.
double gradient_error(const Mattes& mattes, double sigma, int threads, Monitor& monitor);

// The sum over the region of |phi(alpha) - phi(truth)|, where phi(a) = 1 - d [d >= theta] and d = a
// - l. The level l of a pixel is the largest of 0, 1 / levels, ..., 1 up to which the pixel belongs
// to the largest 4-connected component of min(alpha, truth) >= level.
double connectivity_error(const Mattes& mattes, int levels, double theta, Monitor& monitor);

}  // namespace trimatte
