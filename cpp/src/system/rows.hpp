// The two forms of a system that assemble() makes. Private to this folder.
#pragma once

#include "trimatte/assemble.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

// Values of an index map for pixels that have no row in the matrix.
constexpr std::int32_t no_row = -1;             // known background, or a row that nobody asked for
constexpr std::int32_t no_row_foreground = -2;  // known foreground: its entries go to the right-hand side

// Sparse rows of the pixels with index[p] >= 0, the number of their row; numbers ascend. towards_foreground (null, or
// one number per row): the sum of a row's entries at pixels with no_row_foreground.
struct SparseRows {
    Csr matrix;
    Buffer<double> towards_foreground;
};
SparseRows sparse_rows(const Affinity& affinity, const Wanted& wanted, const Buffer<std::int32_t>& index,
                       std::int64_t rows, const Context& context);

// The whole system as a stencil, for an affinity that has stencil_rows().
Stencil stencil_of_planes(const Affinity& affinity, const Wanted& wanted, const Known& known, const Context& context);

}  // namespace trimatte
