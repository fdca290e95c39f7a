// What all affinities made of windows demand of a picture.
#include <stdexcept>
#include <string>

#include "trimatte/affinity.hpp"

namespace trimatte {

void WindowAffinity::check(const ImageView& image) const {
    const std::int64_t side = 2 * static_cast<std::int64_t>(radius_) + 1;
    if (image.channels != 1 && image.channels != 3) {
        throw std::invalid_argument("image: expected 1 or 3 channels, got " + std::to_string(image.channels));
    }
    if (radius_ < 1 || image.height < side || image.width < side) {
        throw std::invalid_argument("image: expected at least one window of " + std::to_string(side) + " pixels");
    }
}

}  // namespace trimatte
