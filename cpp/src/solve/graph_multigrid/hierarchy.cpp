// Makes levels until one is small enough for a dense factorisation, or coarsening gains nothing
// more.
#include "solve/graph_multigrid/hierarchy.hpp"

#include <algorithm>
#include <cmath>

namespace trimatte::graph {
namespace {

// a level of at most this number of unknowns is the coarsest
constexpr std::int64_t small_enough = 400;
// a coarser level must have at most this part of the unknowns
constexpr double least_reduction = 0.8;
constexpr int most_levels = 20;

// Divides the coarse unknowns by the square roots of the diagonal of C = P^T A P, so that its
// diagonal becomes one.
void scale_to_unit_diagonal(SparseMatrix& C, Prolongation& prolongation, int columns, const Context& context) {
    SparseMatrix& P = prolongation.P;
    const std::int64_t n = C.rows;
    Buffer<float> inverse(n);
    const auto ranges = ranges_of_rows(n, C.row_start.data());
    for_ranges(ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t k = C.row_start[i]; k < C.row_start[i + 1]; ++k) {
                if (C.column[k] == i) {
                    // Columns of P have a length of about one. A smaller diagonal entry is
                    // rounding, in a region without any known value that forms one aggregate. Its
                    // column of P becomes zero, since nothing can be corrected there.
                    inverse[i] = C.value[k] < 1e-7f ? 0 : 1 / std::sqrt(C.value[k]);
                }
            }
            for (int c = 0; c < columns && inverse[i] > 0; ++c) {
                prolongation.near_null[c * n + i] /= inverse[i];
            }
        }
    });
    for_ranges(ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t k = C.row_start[i]; k < C.row_start[i + 1]; ++k) {
                C.value[k] = C.column[k] == i ? 1 : C.value[k] * inverse[i] * inverse[C.column[k]];
            }
        }
    });
    parallel_ranges(P.nonzeros(), context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) {
            P.value[k] *= inverse[P.column[k]];
        }
    });
}

}  // namespace

Level level_of(const ScaledMatrix& scaled, const Context& context) {
    const Csr& A = scaled.A;
    Level level;
    level.ranges = ranges_of_rows(A.rows, A.row_start.data());
    level.value = Buffer<float>(A.nonzeros());
    for_ranges(level.ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
                level.value[k] = static_cast<float>(scaled.entry(i, k));
            }
        }
    });
    level.A = {A.rows, A.row_start.data(), A.column.data(), level.value.data()};
    return level;
}

Level level_of(SparseMatrix&& matrix) {
    Level level;
    level.matrix = std::move(matrix);
    level.A = level.matrix.view();
    level.ranges = ranges_of_rows(level.A.rows, level.A.row_start);
    return level;
}

std::size_t Level::bytes() const {
    return matrix.bytes() + value.bytes() + P.bytes() + R.bytes() + x.bytes() + r.bytes() + d.bytes() + next_d.bytes();
}

std::vector<Level> make_levels(Level&& finest, const Buffer<float>& near_null, int columns, int lanes,
                               const Context& context) {
    std::vector<Level> levels;
    levels.push_back(std::move(finest));
    Nodes nodes{levels[0].A.rows, {}};
    // near-null vectors of the last level; the caller owns those of the finest level
    Buffer<float> N;
    while (true) {
        Level& fine = levels.back();
        const std::int64_t n = fine.A.rows;
        for (Buffer<float>* vector : {&fine.x, &fine.r, &fine.d, &fine.next_d}) {
            *vector = Buffer<float>(lanes * n);
        }
        fine.lmax = n == 0 ? 1 : largest_eigenvalue(fine.A, context);
        if (n <= small_enough || levels.size() == most_levels) {
            return levels;
        }
        const Buffer<float>& fine_N = levels.size() == 1 ? near_null : N;
        const Aggregates aggregates = aggregate(measure_strength(fine.A, nodes, fine_N.data(), context), context);
        Prolongation prolongation = tentative_prolongation(nodes, aggregates, fine_N, columns, context);
        const std::int64_t coarse = prolongation.P.columns;
        if (coarse == 0 || static_cast<double>(coarse) > least_reduction * static_cast<double>(n)) {
            return levels;
        }
        smooth_prolongation(fine.A, 4 / (3 * fine.lmax), prolongation, columns, context);
        SparseMatrix coarse_matrix;
        {
            const SparseMatrix AP = product(fine.A, prolongation.P, context);
            coarse_matrix = product(transposed(prolongation.P, context).view(), AP, context);
        }
        scale_to_unit_diagonal(coarse_matrix, prolongation, columns, context);
        fine.P = std::move(prolongation.P);
        fine.R = transposed(fine.P, context);
        fine.coarse_ranges = ranges_of_rows(fine.R.rows, fine.R.row_start.data());
        nodes = std::move(prolongation.nodes);
        N = std::move(prolongation.near_null);
        levels.push_back(level_of(std::move(coarse_matrix)));
    }
}

}  // namespace trimatte::graph
