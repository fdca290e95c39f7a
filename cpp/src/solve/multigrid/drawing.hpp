// Tells drawings from photographs. Private to this folder.
#pragma once

#include "solve/multigrid/sweep.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

// Whether the unknown pixels have flat colours, or few: the matting Laplacian has very slow modes then.
bool is_drawing(const Stencil& stencil, const Context& context);

}  // namespace trimatte
