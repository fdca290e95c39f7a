// The demands of all affinities made of windows on a picture. This header is private to this
// folder.
#pragma once

#include <stdexcept>
#include <string>

#include "trimatte/image.hpp"

namespace trimatte {

// Throws std::invalid_argument unless the picture has 1 or 3 channels and room for one window.
inline void check_windows(const ImageView& image, int radius) {
    const std::int64_t side = 2 * static_cast<std::int64_t>(radius) + 1;
    if (image.channels != 1 && image.channels != 3) {
        throw std::invalid_argument("image: expected 1 or 3 channels, got " + std::to_string(image.channels));
    }
    if (radius < 1 || image.height < side || image.width < side) {
        throw std::invalid_argument("image: expected at least one window of " + std::to_string(side) + " pixels");
    }
}

}  // namespace trimatte
