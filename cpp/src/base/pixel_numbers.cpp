#include "base/pixel_numbers.hpp"

#include <stdexcept>
#include <string>

namespace trimatte {

std::int64_t numbered_pixels(const ImageView& image) {
    // A division, since the product of the sides may exceed int64.
    if (image.width > 0 && image.height > INT32_MAX / image.width) {
        throw std::length_error("image: expected at most 2147483647 pixels, got " + std::to_string(image.height) +
                                " x " + std::to_string(image.width) +
                                "; scale it down, or cut it into pieces that overlap");
    }
    return image.pixels();
}

}  // namespace trimatte
