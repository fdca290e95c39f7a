// Tells drawings from photographs. This header is private to this folder.
#pragma once

#include "solve/multigrid/sweep.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

// Whether the unknown pixels have few colours, or large areas of one colour. The matting Laplacian
// has very slow modes then.
bool is_drawing(const Stencil& stencil, const Context& context);

}  // namespace trimatte
