// Takes the rows whose diagonal outweighs the rest out of multigrid, since they need no coarser
// level.
#pragma once

#include <cstdint>

#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "solve/scaled_matrix.hpp"

namespace trimatte::graph {

// A matrix with unit diagonal in two by two blocks: `coupled` rows and `anchored` rows. Multigrid
// solves the block of the coupled rows; the block of the anchored rows is near the unit matrix. The
// known pixels of a soft system, which are most of the picture, are anchored.
struct SplitRows {
    Buffer<std::int32_t> coupled, anchored;  // the numbers of these rows in the matrix, ascending
    SparseMatrix matrix;                     // the block of the coupled rows
    // The blocks off the diagonal: coupled x anchored, and its transpose.
    SparseMatrix to_anchored, to_coupled;
    Buffer<float> near_null;  // near-null vectors of the coupled rows, one after the other

    bool is_worthwhile() const { return 8 * anchored.size() >= anchored.size() + coupled.size(); }
    std::size_t bytes() const {
        return coupled.bytes() + anchored.bytes() + matrix.bytes() + to_anchored.bytes() + to_coupled.bytes();
    }
};

// Splits the rows. If that is not worthwhile, the result holds only the numbers of the rows.
SplitRows split_rows(const ScaledMatrix& scaled, const Buffer<float>& near_null, int columns, const Context& context);

}  // namespace trimatte::graph
