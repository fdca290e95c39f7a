// Dense part of the multifrontal method: the lower trapezoid of a frontal matrix, and its partial factorisation.
#pragma once

#include <algorithm>
#include <cstdint>

#include "trimatte/monitor.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// The lower trapezoid of a matrix of `rows` rows and `columns` <= `rows` columns, in blocks of `width` columns. A block
// that begins at column c holds rows c and after, by columns; the distance of two columns is a multiple of 8, and the
// numbers behind the last row may be overwritten. `data` points to numbers that another object owns.
struct Trapezoid {
    static constexpr std::int64_t width = 64;

    double* data;
    std::int64_t rows;
    std::int64_t columns;

    static std::int64_t padded(std::int64_t rows) { return (rows + 7) / 8 * 8; }
    // Numbers in the blocks before column c, a multiple of the width.
    static std::int64_t offset(std::int64_t rows, std::int64_t c) { return c * padded(rows) - c * (c - width) / 2; }
    // Numbers of the whole.
    static std::int64_t size(std::int64_t rows, std::int64_t columns) {
        const std::int64_t c = columns / width * width;
        return offset(rows, c) + (columns - c) * (padded(rows) - c);
    }

    static std::int64_t block_of(std::int64_t column) { return column / width * width; }
    // Distance of two columns in the block that begins at column c.
    std::int64_t stride(std::int64_t c) const { return padded(rows) - c; }
    // Row i of the block that begins at column c, i >= c.
    double* at(std::int64_t i, std::int64_t c) const { return data + offset(rows, c) + i - c; }
    // Column j, such that its row i is column(j)[i].
    double* column(std::int64_t j) const {
        const std::int64_t c = block_of(j);
        return data + offset(rows, c) + (j - c) * stride(c) - c;
    }
};

// Numbers beyond the last one of an array of trapezoids that the kernels may read.
constexpr std::int64_t readable_beyond = 8;

// Multiplications with an addition that a front costs: k columns eliminated from m rows.
double front_work(std::int64_t m, std::int64_t k);

// L holds the first columns of a symmetric matrix on entry, the same columns of its Cholesky factor on return. Returns
// the first column whose pivot is not positive and finite, L.columns if there is none.
std::int64_t factor_panel(const Trapezoid& L, const Context& context);

// U -= B B^T, B the rows of L below its columns; U.rows = U.columns = L.rows - L.columns.
void subtract_panel(const Trapezoid& L, const Trapezoid& U, const Context& context);

}  // namespace trimatte
