// The coarse space of closed-form foreground and background. This header is private to this folder.
//
// A change of the layers by (b_i, -a_i) v_i, b = 1 - a, leaves a F + b B as it is at every pixel.
// All slow modes of the system are of this kind: every other change costs at least half of its
// square. So the coarse space has one number v per pixel. The matrix of these numbers has the form
// of a graph's, whose near-null space is the constant, and goes to the multigrid for graphs.
#pragma once

#include <memory>

#include "foreground/layer_system.hpp"
#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/scaled_matrix.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// The correction on the coarse space, by one cycle of multigrid.
class CoarseCorrection {
public:
    CoarseCorrection(const LayerSystem& system, int channels);

    // Takes row y of the residuals r - A x.
    void take_row(std::int64_t y, const LayerVectors& r, const LayerVectors& x);
    // Adds the corrections for the residuals, of which all rows have been taken, to x. The cells of Ax
    // are overwritten.
    void add(const LayerVectors& r, const LayerVectors& x, const LayerVectors& Ax);

    std::size_t bytes() const;
    double operator_complexity() const { return multigrid_->operator_complexity(); }

private:
    template <typename Body>
    void for_cells(std::size_t channels, const Body& body) const;
    // Numbers of a row in values_: one for each channel, and 0 in those that are left.
    std::int64_t lanes_of(std::size_t channels) const { return channels == 1 ? 1 : lanes_; }

    const LayerSystem& system_;
    Csr matrix_;
    ScaledMatrix scaled_;
    int lanes_;
    Buffer<float> values_;  // right-hand sides, then their corrections
    std::unique_ptr<GraphMultigrid> multigrid_;
};

}  // namespace trimatte
