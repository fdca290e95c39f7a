// Trimming makes a trimap's unknown region smaller before a solve.
#pragma once

#include "trimatte/image.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

struct TrimOptions {
    // A pixel takes the label of a known pixel at a distance of d pixels if their colours differ by
    // at most edge - d, in steps of 8 bits; 0 switches this off.
    double edge = 8;
    // A pixel takes the label of the kind whose patches of 3 x 3 pixels resemble its own: `alike` is
    // the largest Bhattacharyya distance to that kind, and `unlike` the least distance to the other
    // one. alike = 0 switches this off.
    double alike = 0;
    double unlike = 0.5;
    int neighbours = 10;  // patches of each kind that are compared, those of the nearest mean colours
};

// Writes the labels, some of whose unknown pixels have become known, to `trimmed`. The arrays have
// the size of the image and must not overlap.
void trim(const ImageView& image, const Label* labels, const TrimOptions& options, Label* trimmed,
          const Context& context);

}  // namespace trimatte
