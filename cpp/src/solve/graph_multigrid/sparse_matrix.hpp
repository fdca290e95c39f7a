// Sparse matrices in float32, and loops over their rows.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte::graph {

// The entries of row i are those from row_start[i] on, in any order. The arrays belong to somebody
// else.
struct MatrixView {
    std::int64_t rows = 0;
    const std::int64_t* row_start = nullptr;
    const std::int32_t* column = nullptr;
    const float* value = nullptr;

    std::int64_t nonzeros() const { return rows == 0 ? 0 : row_start[rows]; }
};

struct SparseMatrix {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    Buffer<std::int64_t> row_start;  // rows + 1
    Buffer<std::int32_t> column;
    Buffer<float> value;

    MatrixView view() const { return {rows, row_start.data(), column.data(), value.data()}; }
    std::int64_t nonzeros() const { return column.size(); }
    std::size_t bytes() const { return row_start.bytes() + column.bytes() + value.bytes(); }
};

// Borders of ranges of rows that are about equal work. They depend on the matrix only.
std::vector<std::int64_t> ranges_of_rows(std::int64_t rows, const std::int64_t* row_start);

// body(begin, end) for each of the ranges between the borders.
void for_ranges(const std::vector<std::int64_t>& borders, const Context& context,
                const std::function<void(std::int64_t, std::int64_t)>& body);

// Adds up the entries of one row. It finds an entry by its column in constant time.
class RowSum {
public:
    explicit RowSum(std::int64_t columns) : place_(static_cast<std::size_t>(columns), -1) {}

    void add(std::int32_t column, double value) {
        std::int32_t& place = place_[static_cast<std::size_t>(column)];
        if (place < 0) {
            place = static_cast<std::int32_t>(column_.size());
            column_.push_back(column);
            value_.push_back(value);
        } else {
            value_[static_cast<std::size_t>(place)] += value;
        }
    }
    std::size_t size() const { return column_.size(); }
    std::int32_t column(std::size_t k) const { return column_[k]; }
    double& value(std::size_t k) { return value_[k]; }
    // Leaves out the entries that are zero.
    void drop_zeros() {
        std::size_t kept = 0;
        for (std::size_t k = 0; k < column_.size(); ++k) {
            if (value_[k] == 0) {
                place_[static_cast<std::size_t>(column_[k])] = -1;
                continue;
            }
            place_[static_cast<std::size_t>(column_[k])] = static_cast<std::int32_t>(kept);
            column_[kept] = column_[k];
            value_[kept++] = value_[k];
        }
        column_.resize(kept);
        value_.resize(kept);
    }
    void clear() {
        for (const std::int32_t j : column_) {
            place_[static_cast<std::size_t>(j)] = -1;
        }
        column_.clear();
        value_.clear();
    }

private:
    std::vector<std::int32_t> place_;  // of each column in the two below, -1: none
    std::vector<std::int32_t> column_;
    std::vector<double> value_;
};

// The matrix with the rows that fill(i, sum) adds up; rows side by side.
SparseMatrix build_rows(std::int64_t rows, std::int64_t columns, const std::vector<std::int64_t>& borders,
                        const Context& context, const std::function<void(std::int64_t, RowSum&)>& fill);

SparseMatrix transposed(const SparseMatrix& matrix, const Context& context);

// A B.
SparseMatrix product(const MatrixView& A, const SparseMatrix& B, const Context& context);

// Row i of A times x.
inline float row_product(const MatrixView& A, std::int64_t i, const float* x) {
    // Four sums side by side: one alone would wait for each addition to end.
    float sum[4] = {0, 0, 0, 0};
    std::int64_t k = A.row_start[i];
    const std::int64_t end = A.row_start[i + 1];
    for (; k + 4 <= end; k += 4) {
        for (int lane = 0; lane < 4; ++lane) {
            sum[lane] += A.value[k + lane] * x[A.column[k + lane]];
        }
    }
    for (; k < end; ++k) {
        sum[0] += A.value[k] * x[A.column[k]];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace trimatte::graph
