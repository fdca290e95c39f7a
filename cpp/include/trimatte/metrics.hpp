// Error measures that look at more than one pixel. All arrays are height x width; `region` marks the pixels that count.
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

// Sum over the region of (|grad alpha| - |grad truth|)². The gradient is a correlation with derivatives of a Gaussian
// of deviation sigma, filters of unit 2-norm; pixels beyond the border repeat the nearest.
double gradient_error(const Mattes& mattes, double sigma, int threads, Monitor& monitor);

// Sum over the region of |phi(alpha) - phi(truth)|, phi(a) = 1 - d [d >= theta], d = a - l. l is the level, of
// 0, 1 / levels, ..., 1, up to which the pixel is part of the largest 4-connected component of min(alpha, truth) >=
// level.
double connectivity_error(const Mattes& mattes, int levels, double theta, Monitor& monitor);

}  // namespace trimatte
