// The slow twin of src/foreground/multilevel_by_rows.cpp, in doubles. At every pixel it solves the
// 2 x 2 system of the energy.
#pragma once

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "reference/multilevel.hpp"

namespace trimatte::test {

inline Picture take(const Picture& from, std::int64_t height, std::int64_t width) {
    Picture to(height, width, from.channels);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            for (int c = 0; c < from.channels; ++c) {
                to.at(y, x, c) = from.at(y * from.height / height, x * from.width / width, c);
            }
        }
    }
    return to;
}

// Minimises the energy at pixel (y, x), channel c.
inline void solve_pixel_by_rows(Layers& layers, const Picture& I, const Picture& alpha, const MultilevelSteps& steps,
                                std::int64_t y, std::int64_t x, int c) {
    const double a = alpha.at(y, x, 0);
    Eigen::Matrix2d A;
    A << a * a, a * (1 - a), a * (1 - a), (1 - a) * (1 - a);
    Eigen::Vector2d rhs(a * I.at(y, x, c), (1 - a) * I.at(y, x, c));
    const std::int64_t dy[] = {0, 0, -1, 1};
    const std::int64_t dx[] = {-1, 1, 0, 0};
    for (int k = 0; k < 4; ++k) {
        const std::int64_t v = std::clamp<std::int64_t>(y + dy[k], 0, I.height - 1);
        const std::int64_t u = std::clamp<std::int64_t>(x + dx[k], 0, I.width - 1);
        const double w = steps.regularization + steps.gradient_weight * std::abs(a - alpha.at(v, u, 0));
        A += w * Eigen::Matrix2d::Identity();
        rhs += w * Eigen::Vector2d(layers.F.at(v, u, c), layers.B.at(v, u, c));
    }
    const Eigen::Vector2d solution = A.inverse() * rhs;
    layers.F.at(y, x, c) = std::clamp(solution(0), 0.0, 1.0);
    layers.B.at(y, x, c) = std::clamp(solution(1), 0.0, 1.0);
}

// Both labels have to occur in alpha.
inline Layers slow_multilevel_by_rows(const Picture& image, const Picture& alpha, const MultilevelSteps& steps) {
    Layers layers{mean_colour(image, alpha, 0.9f, 2), mean_colour(image, alpha, -1, 0.1f)};
    const double levels = std::ceil(std::log2(static_cast<double>(std::max(image.height, image.width))));
    for (double l = 0; l <= levels; ++l) {
        const double part = levels == 0 ? 1 : l / levels;
        const std::int64_t height = std::llround(std::pow(static_cast<double>(image.height), part));
        const std::int64_t width = std::llround(std::pow(static_cast<double>(image.width), part));
        const Picture I = take(image, height, width);
        const Picture a = take(alpha, height, width);
        layers = {take(layers.F, height, width), take(layers.B, height, width)};
        const bool small = std::max(height, width) <= steps.small_size;
        for (int i = 0; i < (small ? steps.small_iterations : steps.big_iterations); ++i) {
            for (std::int64_t y = 0; y < height; ++y) {
                for (std::int64_t x = 0; x < width; ++x) {
                    for (int c = 0; c < I.channels; ++c) {
                        solve_pixel_by_rows(layers, I, a, steps, y, x, c);
                    }
                }
            }
        }
    }
    return layers;
}

}  // namespace trimatte::test
