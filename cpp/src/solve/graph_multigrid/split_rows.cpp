#include "solve/graph_multigrid/split_rows.hpp"

#include <cmath>

#include "base/each.hpp"

namespace trimatte::graph {
namespace {

bool is_anchored(const ScaledMatrix& scaled, std::int64_t i, const float* near_null) {
    const Csr& A = scaled.A;
    double rest = 0;
    for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
        rest += A.column[k] == i ? 0.0 : std::abs(scaled.entry(i, k) * near_null[A.column[k]]);
    }
    return rest <= anchored_at_most * std::abs(near_null[i]);
}

SparseMatrix empty_matrix(std::int64_t rows, std::int64_t columns) {
    SparseMatrix matrix{rows, columns, Buffer<std::int64_t>(rows + 1), {}, {}};
    matrix.row_start[0] = 0;
    return matrix;
}

// Cuts the coupled rows into two parts. number[i] is the number of row i among the coupled rows, or
// -1 - k if it is number k among the anchored rows.
void cut(const ScaledMatrix& scaled, const Buffer<std::int32_t>& number, SplitRows& split, const Context& context) {
    const Csr& A = scaled.A;
    const std::int64_t rows = split.coupled.size();
    split.matrix = empty_matrix(rows, rows);
    split.to_anchored = empty_matrix(rows, split.anchored.size());
    std::int64_t inner = 0, outer = 0;
    const Context one_thread{1, context.monitor};
    const auto ranges = [&] {
        Buffer<std::int64_t> start(rows + 1);
        start[0] = 0;
        for (std::int64_t i = 0; i < rows; ++i) {
            start[i + 1] = start[i] + A.row_start[split.coupled[i] + 1] - A.row_start[split.coupled[i]];
        }
        return ranges_of_rows(rows, start.data());
    }();
    for_ranges(ranges, one_thread, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int32_t row = split.coupled[i];
            for (std::int64_t k = A.row_start[row]; k < A.row_start[row + 1]; ++k) {
                inner += number[A.column[k]] >= 0 ? 1 : 0;
            }
            outer += A.row_start[row + 1] - A.row_start[row];
            split.matrix.row_start[i + 1] = inner;
            split.to_anchored.row_start[i + 1] = outer - inner;
        }
    });
    for (SparseMatrix* part : {&split.matrix, &split.to_anchored}) {
        part->column = Buffer<std::int32_t>(part->row_start[rows]);
        part->value = Buffer<float>(part->row_start[rows]);
    }
    for_ranges(ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int32_t row = split.coupled[i];
            std::int64_t next[2] = {split.matrix.row_start[i], split.to_anchored.row_start[i]};
            for (std::int64_t k = A.row_start[row]; k < A.row_start[row + 1]; ++k) {
                const std::int32_t j = number[A.column[k]];
                SparseMatrix& part = j >= 0 ? split.matrix : split.to_anchored;
                const std::int64_t to = next[j >= 0 ? 0 : 1]++;
                part.column[to] = j >= 0 ? j : -1 - j;
                part.value[to] = static_cast<float>(scaled.entry(row, k));
            }
        }
    });
}

}  // namespace

SplitRows split_rows(const ScaledMatrix& scaled, const Buffer<float>& near_null, int columns, const Context& context) {
    const Csr& A = scaled.A;
    Buffer<std::int32_t> number(A.rows);
    for_ranges(ranges_of_rows(A.rows, A.row_start.data()), context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            number[i] = is_anchored(scaled, i, near_null.data()) ? -1 : 0;
        }
    });
    std::int32_t count[2] = {0, 0};  // the numbers of coupled rows and of anchored rows
    const Context in_turn{1, context.monitor};
    each(A.rows, in_turn, [&](std::int64_t i) { number[i] = number[i] == 0 ? count[0]++ : -1 - count[1]++; });
    SplitRows split;
    split.coupled = Buffer<std::int32_t>(count[0]);
    split.anchored = Buffer<std::int32_t>(count[1]);
    each(A.rows, in_turn, [&](std::int64_t i) {
        (number[i] >= 0 ? split.coupled[number[i]] : split.anchored[-1 - number[i]]) = static_cast<std::int32_t>(i);
    });
    if (!split.is_worthwhile()) {
        return split;
    }
    cut(scaled, number, split, context);
    split.to_coupled = transposed(split.to_anchored, context);
    const std::int64_t rows = split.coupled.size();
    split.near_null = Buffer<float>(columns * rows);
    each(rows, context, [&](std::int64_t i) {
        for (int c = 0; c < columns; ++c) {
            split.near_null[c * rows + i] = near_null[c * A.rows + split.coupled[i]];
        }
    });
    return split;
}

}  // namespace trimatte::graph
