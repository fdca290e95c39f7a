// Sparse symmetric matrices. Every entry is stored, and rows are sorted by column.
#pragma once

#include <algorithm>
#include <cstdint>

#include "trimatte/buffer.hpp"

namespace trimatte {

struct Context;
class Monitor;
enum class Label : std::uint8_t;

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

// Throws std::invalid_argument, naming the first such row, if a row is not sorted by column, has no
// positive diagonal entry, or holds a number that is not finite.
void check_rows(const Csr& matrix, const Context& context);

// A matrix that another object owns, with entries of type double.
struct CsrView {
    std::int64_t rows;
    const std::int64_t* row_start;  // rows + 1
    const std::int32_t* column;
    const double* value;
};

// What examine() finds in a matrix. An entry is given by its place in `value`; -1 stands for none.
struct Examined {
    double largest = 0;            // of the absolute values of the entries
    bool has_diagonal = true;      // whether every row stores its diagonal entry
    std::int64_t reach = 0;        // the largest distance of two pixels with an entry that is not zero
    std::int64_t not_finite = -1;  // the first entry that is not finite
    std::int64_t asymmetric = -1;  // the first entry (i, j) that differs from entry (j, i)
    std::int64_t farther = -1;     // the first entry whose pixels are farther apart than `reach_at_most`
};

// Examines a matrix that somebody else has made, whose columns ascend in each row and are below
// `rows`. Two entries differ if their difference is more than `tolerance` times the largest entry.
// The rows belong to the pixels of a picture of this width; the distance of two pixels is the larger
// one of those along x and y. width = 0: the rows belong to no picture, and distances are not
// measured.
Examined examine(const CsrView& matrix, double tolerance, std::int64_t width, std::int64_t reach_at_most,
                 const Context& context);

// Returns the first unknown that no chain of entries couples to a known pixel, to a pixel with a
// positive confidence, or to a row whose entries do not sum to zero; -1 if there is none. Nothing
// tells the value of such an unknown. `confidence` may be null.
std::int64_t first_loose(const CsrView& matrix, const Label* labels, const float* confidence, Monitor& monitor);

}  // namespace trimatte
