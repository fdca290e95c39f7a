// Rows whose diagonal outweighs the rest need no coarser level: they are taken out of multigrid.
#pragma once

#include <cstdint>

#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte::graph {

// A matrix with unit diagonal in two by two blocks: `coupled` rows and rows that are `alone`.
// Multigrid solves the block of the coupled ones; the block of those alone is near the unit matrix.
// The known pixels of a soft system are alone, which are most of the picture.
struct SplitRows {
    Buffer<std::int32_t> coupled, alone;  // their rows, ascending
    SparseMatrix matrix;                  // of the coupled rows
    SparseMatrix to_alone, to_coupled;    // the blocks beside the diagonal: coupled x alone, and its transpose
    Buffer<float> near_null;              // of the coupled rows, vector after vector

    bool is_worthwhile() const { return 8 * alone.size() >= alone.size() + coupled.size(); }
    std::size_t bytes() const {
        return coupled.bytes() + alone.bytes() + matrix.bytes() + to_alone.bytes() + to_coupled.bytes();
    }
};

// Has the numbers of the rows only if it is not worthwhile.
SplitRows split_rows(const Csr& A, const Buffer<float>& near_null, int columns, const Context& context);

}  // namespace trimatte::graph
