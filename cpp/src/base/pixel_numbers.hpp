// Pictures whose pixels int32 can number. This header is private to the core.
#pragma once

#include <cstdint>

#include "trimatte/image.hpp"

namespace trimatte {

// Returns the number of pixels of an image. Throws std::length_error if int32 cannot number them.
std::int64_t numbered_pixels(const ImageView& image);

}  // namespace trimatte
