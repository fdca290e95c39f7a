// Products and transposes of sparse matrices. A product is made row by row (F. G. Gustavson, "Two
// Fast Algorithms for Sparse Matrices: Multiplication and Permuted Transposition", ACM TOMS 4,
// 1978).
#include <algorithm>
#include <memory>
#include <mutex>

#include "solve/graph_multigrid/sparse_matrix.hpp"

namespace trimatte::graph {
namespace {

// The number of entries of a range. A product with a vector takes some ten microseconds for it.
constexpr std::int64_t entries_per_range = 16384;

// The row sums that are not in use. Each thread that works takes one.
class RowSums {
public:
    explicit RowSums(std::int64_t columns) : columns_(columns) {}

    std::unique_ptr<RowSum> take() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!free_.empty()) {
                std::unique_ptr<RowSum> sum = std::move(free_.back());
                free_.pop_back();
                return sum;
            }
        }
        return std::make_unique<RowSum>(columns_);
    }
    void give_back(std::unique_ptr<RowSum> sum) {
        const std::lock_guard<std::mutex> lock(mutex_);
        free_.push_back(std::move(sum));
    }

private:
    std::int64_t columns_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<RowSum>> free_;
};

// Holds the rows of one range.
template <class Value>
struct Piece {
    std::vector<std::int64_t> row_end;
    std::vector<std::int32_t> column;
    std::vector<Value> value;
};

}  // namespace

std::vector<std::int64_t> ranges_of_rows(std::int64_t rows, const std::int64_t* row_start) {
    std::vector<std::int64_t> borders{0};
    // Each row counts as a few more entries, since even an empty row takes time.
    const auto cost = [&](std::int64_t i) { return row_start[i] + 4 * i; };
    while (borders.back() < rows) {
        std::int64_t end = borders.back() + 1;
        std::int64_t step = 1;
        while (end < rows && cost(end) - cost(borders.back()) < entries_per_range) {
            step = std::min<std::int64_t>(2 * step, 64);
            end = std::min(rows, end + step);
        }
        borders.push_back(end);
    }
    return borders;
}

void for_ranges(const std::vector<std::int64_t>& borders, const Context& context,
                const std::function<void(std::int64_t, std::int64_t)>& body) {
    parallel_for(static_cast<std::int64_t>(borders.size()) - 1, context.threads, context.monitor, [&](std::int64_t i) {
        body(borders[static_cast<std::size_t>(i)], borders[static_cast<std::size_t>(i) + 1]);
    });
}

template <class Value>
SparseMatrixOf<Value> build_rows(std::int64_t rows, std::int64_t columns, const std::vector<std::int64_t>& borders,
                                 const Context& context, const std::function<void(std::int64_t, RowSum&)>& fill) {
    const auto count = static_cast<std::int64_t>(borders.size()) - 1;
    std::vector<Piece<Value>> pieces(static_cast<std::size_t>(count));
    RowSums sums(columns);
    parallel_for(count, context.threads, context.monitor, [&](std::int64_t p) {
        Piece<Value>& piece = pieces[static_cast<std::size_t>(p)];
        std::unique_ptr<RowSum> sum = sums.take();
        for (std::int64_t i = borders[static_cast<std::size_t>(p)]; i < borders[static_cast<std::size_t>(p) + 1]; ++i) {
            fill(i, *sum);
            const std::size_t first = piece.column.size();
            piece.column.resize(first + sum->size());
            piece.value.resize(first + sum->size());
            for (std::size_t k = 0; k < sum->size(); ++k) {
                piece.column[first + k] = sum->column(k);
                piece.value[first + k] = static_cast<Value>(sum->value(k));
            }
            piece.row_end.push_back(static_cast<std::int64_t>(piece.column.size()));
            sum->clear();
        }
        sums.give_back(std::move(sum));
    });
    std::vector<std::int64_t> first(static_cast<std::size_t>(count) + 1, 0);
    for (std::size_t p = 0; p < pieces.size(); ++p) {
        first[p + 1] = first[p] + static_cast<std::int64_t>(pieces[p].column.size());
    }
    SparseMatrixOf<Value> matrix{rows, columns, Buffer<std::int64_t>(rows + 1), Buffer<std::int32_t>(first.back()),
                                 Buffer<Value>(first.back())};
    matrix.row_start[0] = 0;
    parallel_for(count, context.threads, context.monitor, [&](std::int64_t p) {
        const auto at = static_cast<std::size_t>(p);
        Piece<Value>& piece = pieces[at];
        std::copy(piece.column.begin(), piece.column.end(), matrix.column.data() + first[at]);
        std::copy(piece.value.begin(), piece.value.end(), matrix.value.data() + first[at]);
        for (std::size_t k = 0; k < piece.row_end.size(); ++k) {
            matrix.row_start[borders[at] + static_cast<std::int64_t>(k) + 1] = first[at] + piece.row_end[k];
        }
        piece = {};
    });
    return matrix;
}

template SparseMatrixOf<float> build_rows(std::int64_t, std::int64_t, const std::vector<std::int64_t>&, const Context&,
                                          const std::function<void(std::int64_t, RowSum&)>&);
template SparseMatrixOf<double> build_rows(std::int64_t, std::int64_t, const std::vector<std::int64_t>&, const Context&,
                                           const std::function<void(std::int64_t, RowSum&)>&);

template <class Value>
SparseMatrixOf<Value> transposed(const SparseMatrixOf<Value>& matrix, const Context& context) {
    SparseMatrixOf<Value> result{matrix.columns, matrix.rows, Buffer<std::int64_t>(matrix.columns + 1),
                                 Buffer<std::int32_t>(matrix.nonzeros()), Buffer<Value>(matrix.nonzeros())};
    std::vector<std::int64_t> next(static_cast<std::size_t>(matrix.columns) + 1, 0);
    const std::vector<std::int64_t> borders = ranges_of_rows(matrix.rows, matrix.row_start.data());
    const Context one_thread{1, context.monitor};
    for_ranges(borders, one_thread, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = matrix.row_start[begin]; k < matrix.row_start[end]; ++k) {
            ++next[static_cast<std::size_t>(matrix.column[k]) + 1];
        }
    });
    for (std::size_t j = 1; j < next.size(); ++j) {
        next[j] += next[j - 1];
    }
    std::copy(next.begin(), next.end(), result.row_start.begin());
    for_ranges(borders, one_thread, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t k = matrix.row_start[i]; k < matrix.row_start[i + 1]; ++k) {
                const std::int64_t to = next[static_cast<std::size_t>(matrix.column[k])]++;
                result.column[to] = static_cast<std::int32_t>(i);
                result.value[to] = matrix.value[k];
            }
        }
    });
    return result;
}

template SparseMatrixOf<float> transposed(const SparseMatrixOf<float>&, const Context&);
template SparseMatrixOf<double> transposed(const SparseMatrixOf<double>&, const Context&);

SparseMatrix product(const MatrixView& A, const SparseMatrix& B, const Context& context) {
    const std::vector<std::int64_t> borders = ranges_of_rows(A.rows, A.row_start);
    return build_rows(A.rows, B.columns, borders, context, [&](std::int64_t i, RowSum& sum) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            sum.add_row(B, A.column[k], A.value[k]);
        }
    });
}

}  // namespace trimatte::graph
