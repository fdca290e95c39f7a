// Takes the rows whose diagonal outweighs the rest out of multigrid, since they need no coarser
// level.
#pragma once

#include <cstdint>

#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "solve/scaled_matrix.hpp"

namespace trimatte::graph {

// A matrix with unit diagonal in two by two blocks: `coupled` rows and rows that are `alone`.
// Multigrid solves the block of the coupled rows; the block of the rows that are alone is near the
// unit matrix. The known pixels of a soft system, which are most of the picture, are alone.
struct SplitRows {
    Buffer<std::int32_t> coupled, alone;  // the numbers of these rows in the matrix, ascending
    SparseMatrix matrix;                  // the block of the coupled rows
    // The blocks off the diagonal: coupled x alone, and its transpose.
    SparseMatrix to_alone, to_coupled;
    Buffer<float> near_null;  // near-null vectors of the coupled rows, one after the other

    bool is_worthwhile() const { return 8 * alone.size() >= alone.size() + coupled.size(); }
    std::size_t bytes() const {
        return coupled.bytes() + alone.bytes() + matrix.bytes() + to_alone.bytes() + to_coupled.bytes();
    }
};

// Splits the rows. If that is not worthwhile, the result holds only the numbers of the rows.
SplitRows split_rows(const ScaledMatrix& scaled, const Buffer<float>& near_null, int columns, const Context& context);

}  // namespace trimatte::graph
