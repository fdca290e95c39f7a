// The levels of a multi-level estimation (Germer et al., ICPR 2020), from the smallest to the largest.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace trimatte {

struct LevelSize {
    std::int64_t height, width;
};

// Sides grow from 1 pixel by equal factors, of at most 2, to those of the image.
inline std::vector<LevelSize> level_sizes(std::int64_t height, std::int64_t width) {
    int levels = 0;
    while ((std::int64_t{1} << levels) < std::max(height, width)) {
        ++levels;
    }
    std::vector<LevelSize> sizes;
    for (int l = 0; l <= levels; ++l) {
        const double part = levels == 0 ? 1.0 : static_cast<double>(l) / levels;
        const auto side = [&](std::int64_t full) {
            return static_cast<std::int64_t>(std::llround(std::pow(static_cast<double>(full), part)));
        };
        sizes.push_back({side(height), side(width)});
    }
    return sizes;
}

}  // namespace trimatte
