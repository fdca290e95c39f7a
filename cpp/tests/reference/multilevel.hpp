// The slow twin of the multi-level foreground estimation (Germer et al., ICPR 2020), in doubles. At
// every pixel it solves the 2 x 2 system of the energy in src/foreground/multilevel.cpp, in the
// order of sweeps that is described there.
#pragma once

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "support.hpp"
#include "trimatte/foreground.hpp"

namespace trimatte::test {

struct Layers {
    Picture F;
    Picture B;
};

inline std::int64_t nearest(std::int64_t i, std::int64_t from, std::int64_t to) {
    return (2 * i + 1) * from / (2 * to);
}

inline Picture resize(const Picture& from, std::int64_t height, std::int64_t width) {
    Picture to(height, width, from.channels);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            for (int c = 0; c < from.channels; ++c) {
                to.at(y, x, c) = from.at(nearest(y, from.height, height), nearest(x, from.width, width), c);
            }
        }
    }
    return to;
}

// Returns the mean colour of the pixels whose alpha lies in (low, high), or of all pixels if there
// are none.
inline Picture mean_colour(const Picture& image, const Picture& alpha, double low, double high) {
    Picture mean(1, 1, image.channels);
    double count = 0;
    for (std::int64_t y = 0; y < image.height; ++y) {
        for (std::int64_t x = 0; x < image.width; ++x) {
            if (alpha.at(y, x, 0) > low && alpha.at(y, x, 0) < high) {
                for (int c = 0; c < image.channels; ++c) {
                    mean.at(0, 0, c) += image.at(y, x, c);
                }
                ++count;
            }
        }
    }
    if (count == 0) {
        return mean_colour(image, alpha, -1, 2);
    }
    for (double& v : mean.data) {
        v /= count;
    }
    return mean;
}

// What the neighbour of a pixel beyond the border is.
enum class Border { none, the_pixel_itself };

// Minimises the energy at pixel (y, x), channel c.
inline void solve_pixel(Layers& layers, const Picture& I, const Picture& alpha, const MultilevelSteps& steps,
                        Border border, std::int64_t y, std::int64_t x, int c) {
    const double a = alpha.at(y, x, 0);
    Eigen::Matrix2d A;
    A << a * a, a * (1 - a), a * (1 - a), (1 - a) * (1 - a);
    Eigen::Vector2d rhs(a * I.at(y, x, c), (1 - a) * I.at(y, x, c));
    const std::int64_t dy[] = {0, 0, -1, 1};
    const std::int64_t dx[] = {-1, 1, 0, 0};
    for (int k = 0; k < 4; ++k) {
        const std::int64_t v = std::clamp<std::int64_t>(y + dy[k], 0, I.height - 1);
        const std::int64_t u = std::clamp<std::int64_t>(x + dx[k], 0, I.width - 1);
        if (v == y && u == x && border == Border::none) {
            continue;
        }
        const double w = steps.regularization + steps.gradient_weight * std::abs(a - alpha.at(v, u, 0));
        A += w * Eigen::Matrix2d::Identity();
        rhs += w * Eigen::Vector2d(layers.F.at(v, u, c), layers.B.at(v, u, c));
    }
    const Eigen::Vector2d solution = A.inverse() * rhs;
    layers.F.at(y, x, c) = std::clamp(solution(0), 0.0, 1.0);
    layers.B.at(y, x, c) = std::clamp(solution(1), 0.0, 1.0);
}

inline Layers slow_multilevel(const Picture& image, const Picture& alpha, const MultilevelOptions& options) {
    Layers layers{mean_colour(image, alpha, 0.9f, 2), mean_colour(image, alpha, -1, 0.1f)};
    int levels = 0;
    while ((1 << levels) < std::max(image.height, image.width)) {
        ++levels;
    }
    for (int l = 0; l <= levels; ++l) {
        const double part = static_cast<double>(l) / levels;
        const std::int64_t height = std::llround(std::pow(static_cast<double>(image.height), part));
        const std::int64_t width = std::llround(std::pow(static_cast<double>(image.width), part));
        const Picture I = resize(image, height, width);
        const Picture a = resize(alpha, height, width);
        layers = {resize(layers.F, height, width), resize(layers.B, height, width)};
        if (height * width == 1) {
            continue;  // without neighbours the start colours stay
        }
        const int iterations =
            std::max(height, width) <= options.small_size ? options.small_iterations : options.big_iterations;
        for (int i = 0; i < 2 * iterations; ++i) {
            for (std::int64_t y = 0; y < height; ++y) {
                for (std::int64_t x = (y + i) % 2; x < width; x += 2) {
                    for (int c = 0; c < I.channels; ++c) {
                        solve_pixel(layers, I, a, options, Border::none, y, x, c);
                    }
                }
            }
        }
    }
    return layers;
}

}  // namespace trimatte::test
