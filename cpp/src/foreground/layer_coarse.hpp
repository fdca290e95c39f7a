// The coarse space of closed-form foreground and background. This header is private to this folder.
//
// A change of the layers by (b_i, -a_i) v_i, b = 1 - a, leaves a F + b B as it is at every pixel.
// All slow modes of the system are of this kind: every other change costs at least half of its
// square. So the coarse space has one number v per pixel. The matrix of these numbers has the form
// of a graph's, whose near-null space is the constant, and goes to the multigrid for graphs.
#pragma once

#include "foreground/layer_system.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// Returns P^T A P, where P is (b, -a) at each unknown pixel. Cells come behind the pixels, with P =
// 1 for F and -1 for B.
Csr coarse_matrix(const LayerSystem& system);

}  // namespace trimatte
