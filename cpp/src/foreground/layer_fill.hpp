// Colours of a layer where nobody sees it. This header is private to this folder.
#pragma once

#include "foreground/layer_system.hpp"

namespace trimatte {

// Continues both layers harmonically into the deep pixels of the system, where they are invisible:
// the foreground where alpha is 0, the background where it is 1. A pyramid of means of the known
// pixels is filled from its top to its bottom, with a few sweeps of Gauss-Seidel on each level
// (cascadic multigrid). The layers have `channels` numbers for each pixel.
void fill_deep(const LayerSystem& system, int channels, float* foreground, float* background);

}  // namespace trimatte
