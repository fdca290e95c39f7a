// Sparse matrices, those that are made here in float32, and loops over their rows.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/row_product.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte::graph {

// In an anchored row, the entries off the diagonal weigh at most this part of the diagonal entry, in
// the units of the near-null vector. Smoothing alone solves such a row, and the other rows keep at
// least 1 - 0.3 of what couples them to it.
constexpr double anchored_at_most = 0.3;

// A view of a matrix whose arrays another object owns. The entries of row i start at row_start[i]
// and are in any order.
template <class Value>
struct MatrixViewOf {
    std::int64_t rows = 0;
    const std::int64_t* row_start = nullptr;
    const std::int32_t* column = nullptr;
    const Value* value = nullptr;

    std::int64_t nonzeros() const { return rows == 0 ? 0 : row_start[rows]; }
};
using MatrixView = MatrixViewOf<float>;

template <class Value>
struct SparseMatrixOf {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    Buffer<std::int64_t> row_start;  // rows + 1 numbers
    Buffer<std::int32_t> column;
    Buffer<Value> value;

    MatrixViewOf<Value> view() const { return {rows, row_start.data(), column.data(), value.data()}; }
    std::int64_t nonzeros() const { return column.size(); }
    std::size_t bytes() const { return row_start.bytes() + column.bytes() + value.bytes(); }
};
using SparseMatrix = SparseMatrixOf<float>;

// Returns the borders of ranges of rows of about equal work, which depend on the matrix only.
std::vector<std::int64_t> ranges_of_rows(std::int64_t rows, const std::int64_t* row_start);

// Calls body(begin, end) for each of the ranges between the borders, in parallel.
void for_ranges(const std::vector<std::int64_t>& borders, const Context& context,
                const std::function<void(std::int64_t, std::int64_t)>& body);

// Adds up the entries of one row.
class RowSum {
public:
    explicit RowSum(std::int64_t columns)
        : sum_(static_cast<std::size_t>(columns), 0.0),
          is_there_(static_cast<std::size_t>(columns), 0),
          column_(static_cast<std::size_t>(columns) + 1) {}

    // Adds factor times row i of B. New columns are handled without a branch, which would often be
    // mispredicted.
    template <class Value>
    void add_row(const SparseMatrixOf<Value>& B, std::int64_t i, double factor) {
        double* const sum = sum_.data();
        std::int32_t* const is_there = is_there_.data();
        std::int32_t* const columns = column_.data();
        std::int64_t size = size_;
        const std::int64_t end = B.row_start[i + 1];
        for (std::int64_t k = B.row_start[i]; k < end; ++k) {
            const std::int32_t column = B.column[k];
            columns[size] = column;
            size += 1 - is_there[column];
            is_there[column] = 1;
            sum[column] += factor * B.value[k];
        }
        size_ = size;
    }
    void add(std::int32_t column, double value) {
        const auto at = static_cast<std::size_t>(column);
        column_[static_cast<std::size_t>(size_)] = column;
        size_ += 1 - is_there_[at];
        is_there_[at] = 1;
        sum_[at] += value;
    }
    // Returns the entries so far, in the order in which their columns came first.
    std::size_t size() const { return static_cast<std::size_t>(size_); }
    std::int32_t column(std::size_t k) const { return column_[k]; }
    double& value(std::size_t k) { return sum_[static_cast<std::size_t>(column_[k])]; }
    // Removes the entries that are zero.
    void drop_zeros() {
        std::size_t kept = 0;
        for (std::size_t k = 0; k < size(); ++k) {
            const std::int32_t column = column_[k];
            const bool is_kept = value(k) != 0;
            is_there_[static_cast<std::size_t>(column)] = is_kept ? 1 : 0;
            column_[kept] = column;
            kept += is_kept ? 1 : 0;
        }
        size_ = static_cast<std::int64_t>(kept);
    }
    void clear() {
        for (std::size_t k = 0; k < size(); ++k) {
            value(k) = 0;
            is_there_[static_cast<std::size_t>(column_[k])] = 0;
        }
        size_ = 0;
    }

private:
    std::vector<double> sum_;             // the sum of each column
    std::vector<std::int32_t> is_there_;  // 1 if the column has an entry
    std::vector<std::int32_t> column_;    // the columns of the entries
    std::int64_t size_ = 0;
};

// Makes the matrix whose rows fill(i, sum) adds up, in parallel over rows.
template <class Value = float>
SparseMatrixOf<Value> build_rows(std::int64_t rows, std::int64_t columns, const std::vector<std::int64_t>& borders,
                                 const Context& context, const std::function<void(std::int64_t, RowSum&)>& fill);

template <class Value>
SparseMatrixOf<Value> transposed(const SparseMatrixOf<Value>& matrix, const Context& context);

// Returns A B.
SparseMatrix product(const MatrixView& A, const SparseMatrix& B, const Context& context);

}  // namespace trimatte::graph
