// The two forms of a system that assemble() makes. This header is private to this folder.
#pragma once

#include "trimatte/assemble.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

// Values of an index map at pixels that have no row in the matrix.
constexpr std::int32_t no_row = -1;  // known background, or a pixel whose row is not wanted
// Known foreground, whose entries go to the right-hand side.
constexpr std::int32_t no_row_foreground = -2;

// Sparse rows of the pixels with index[p] >= 0, which is the number of their row; the numbers
// ascend with p. towards_foreground has one number per row: the sum of the entries of the row at
// pixels with no_row_foreground. meets: as Problem::meets.
struct SparseRows {
    Csr matrix;
    Buffer<double> towards_foreground;
    Buffer<std::uint8_t> meets;
};
SparseRows sparse_rows(const Affinity& affinity, const Wanted& wanted, const Buffer<std::int32_t>& index,
                       std::int64_t rows, const Context& context);

// Makes the whole system as a stencil, for an affinity that has stencil_rows().
Stencil stencil_of_planes(const Affinity& affinity, const Wanted& wanted, const Known& known, const Context& context);

}  // namespace trimatte
