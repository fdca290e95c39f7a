// The slow twin of src/foreground/multilevel_by_rows.cpp, in doubles.
#pragma once

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
                        solve_pixel(layers, I, a, steps, Border::the_pixel_itself, y, x, c);
                    }
                }
            }
        }
    }
    return layers;
}

}  // namespace trimatte::test
