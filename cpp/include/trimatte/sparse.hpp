// Sparse symmetric matrices. Every entry is stored, and rows are sorted by column.
#pragma once

#include <algorithm>
#include <cstdint>

#include "trimatte/buffer.hpp"

namespace trimatte {

// Columns are numbered with 32 bits, since a picture may have 2^31 - 1 pixels; entries are counted
// with 64 bits.
struct Csr {
    std::int64_t rows = 0;
    Buffer<std::int64_t> row_start;  // rows + 1
    Buffer<std::int32_t> column;
    Buffer<double> value;

    // Returns the place of entry (i, i) in `value`; every row has this entry.
    std::int64_t diagonal(std::int64_t i) const {
        return std::lower_bound(column.data() + row_start[i], column.data() + row_start[i + 1], i) - column.data();
    }
    std::int64_t nonzeros() const { return column.size(); }
    std::size_t bytes() const { return row_start.bytes() + column.bytes() + value.bytes(); }
};

// Throws std::invalid_argument, naming the row, if a row is not sorted by column, has no positive
// diagonal entry, or holds a number that is not finite.
void check_rows(const Csr& matrix);

// A matrix that another object owns, with entries of type double.
struct CsrView {
    std::int64_t rows;
    const std::int64_t* row_start;  // rows + 1
    const std::int32_t* column;
    const double* value;
};

}  // namespace trimatte
