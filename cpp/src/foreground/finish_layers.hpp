// The last step of methods whose layers are stored like the image. This header is private to this
// folder.
#pragma once

#include "trimatte/foreground.hpp"

namespace trimatte {

// Clips both layers to the range of the options, moves them by the least that makes their composite
// exact and lets opaque and transparent pixels take the image's colour if that is asked for.
void finish_layers(const ImageView& image, const float* alpha, const LayerOptions& options, float* foreground,
                   float* background, Monitor& monitor);

}  // namespace trimatte
