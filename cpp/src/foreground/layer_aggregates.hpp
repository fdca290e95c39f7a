// The coarse space of closed-form foreground and background. This header is private to this folder.
//
// A change of the layers by (b_i, -a_i) v_i, b = 1 - a, leaves a F + b B as it is at every pixel.
// All slow modes of the system are of this kind: every other change costs at least half of its
// square. So one number per pixel is coarsened. Pixels that the weights couple strongly share one
// number. The matrix of these numbers has the form of a graph's, whose near-null space is the
// constant, and goes to the multigrid for graphs.
#pragma once

#include <vector>

#include "foreground/layer_system.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

struct LayerAggregates {
    Buffer<std::int32_t> of_pixel;    // the aggregate of each pixel; -1: it is known
    std::vector<std::int64_t> first;  // first[k]: the number of aggregates in the bands before band k
    Csr matrix;                       // P^T A P, where P is (b, -a) on each aggregate's pixels

    std::int64_t size() const { return matrix.rows; }
};

// Pairs pixels, pairs and pairs of pairs with their strongest neighbours. An aggregate lies within
// a band of rows.
LayerAggregates make_aggregates(const LayerSystem& system);

}  // namespace trimatte
