// The dense part of the multifrontal method stores the lower trapezoid of a frontal matrix and
// factorises a part of it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "trimatte/monitor.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// A trapezoid is the lower part of a matrix of `rows` rows and `columns` <= `rows` columns, in
// blocks of `width` columns. A block that begins at column c holds rows c and after, by columns;
// the distance of two columns is a multiple of 8, and the numbers behind the last row may be
// overwritten. `data` points to numbers that another object owns.
struct Trapezoid {
    static constexpr std::int64_t width = 64;

    double* data;
    std::int64_t rows;
    std::int64_t columns;

    static std::int64_t padded(std::int64_t rows) { return (rows + 7) / 8 * 8; }
    // Counts the numbers in the blocks before column c, which is a multiple of the width.
    static std::int64_t offset(std::int64_t rows, std::int64_t c) { return c * padded(rows) - c * (c - width) / 2; }
    // Counts the numbers of all blocks.
    static std::int64_t size(std::int64_t rows, std::int64_t columns) {
        const std::int64_t c = columns / width * width;
        return offset(rows, c) + (columns - c) * (padded(rows) - c);
    }

    static std::int64_t block_of(std::int64_t column) { return column / width * width; }
    // Returns the distance of two columns in the block that begins at column c.
    std::int64_t stride(std::int64_t c) const { return padded(rows) - c; }
    // Points to entry (i, c), i >= c, of the block that begins at column c.
    double* at(std::int64_t i, std::int64_t c) const { return data + offset(rows, c) + i - c; }
    // Returns a pointer to column j such that its row i is column(j)[i].
    double* column(std::int64_t j) const {
        const std::int64_t c = block_of(j);
        return data + offset(rows, c) + (j - c) * stride(c) - c;
    }
};

// The kernels may read this many numbers beyond the last one of an array of trapezoids.
constexpr std::int64_t readable_beyond = 8;

// Counts the multiplications, each with an addition, that it takes to eliminate k columns from m
// rows.
double front_work(std::int64_t m, std::int64_t k);

// Factorises L, which holds the first columns of a symmetric matrix on entry and the same columns
// of its Cholesky factor on return. Returns the first column whose pivot is not positive and
// finite, or L.columns if there is none.
std::int64_t factor_panel(const Trapezoid& L, const Context& context);

// Computes U -= B B^T, where B is the rows of L below its columns and U.rows = U.columns = L.rows -
// L.columns.
void subtract_panel(const Trapezoid& L, const Trapezoid& U, const Context& context);

}  // namespace trimatte
