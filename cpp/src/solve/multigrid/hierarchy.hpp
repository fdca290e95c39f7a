// Makes the levels of the multigrid. This header is private to this folder.
#pragma once

#include <array>
#include <memory>

#include "solve/multigrid/level.hpp"

namespace trimatte {

// Estimates the largest eigenvalue of A by the method of Lanczos, and multiplies it by a safety
// factor. A result that is a tenth too small (on cells, a few percent) would spoil the smoother; a
// result that is slightly too large costs nothing.
template <int B>
double largest_eigenvalue(const Grid& grid, const float* A, const Context& context);

// Makes a level and all levels below it, for a matrix A with the near-null vectors N (see
// make_prolongation).
template <int B>
std::unique_ptr<Smoother<B>> make_smoother(const Grid& grid, const float* A, Buffer<float>&& N, const Context& context);

// Copies a matrix of cells so that the 4 * columns * columns entries of each slot follow each other
// in memory.
Buffer<float> in_one_piece(const LevelMatrix<columns>& matrix, const Context& context);

// Place of entry e = (f * columns + u) * columns + c of a slot in a matrix of cells;
// kernels_multigrid.inl describes the layout.
inline std::int64_t entry_of_cell(std::int64_t slot, int e) {
    constexpr std::int64_t group = Strip::lanes;
    return (slot / group * 4 * columns * columns + e) * group + slot % group;
}

// The coarse matrix P^T A P. Its diagonal blocks are stored apart, in columns * columns planes.
struct CoarseMatrix {
    Grid grid;
    Buffer<float> diagonal;
    Buffer<float> A;
};
template <int B>
CoarseMatrix galerkin(const LevelMatrix<B>& fine, const Prolongation<B>& P, Grid&& coarse, const Context& context);

// Returns the grid whose nodes are the cells of `fine`.
Grid coarse_grid(const Grid& fine);

// The forward offsets (dy, dx) within a reach of R, in the order of the planes of a matrix.
template <int R>
constexpr std::array<std::array<int, 2>, R + R * (2 * R + 1)> forward_offsets() {
    std::array<std::array<int, 2>, R + R * (2 * R + 1)> offsets{};
    std::size_t f = 0;
    for (int dy = 0; dy <= R; ++dy) {
        for (int dx = dy == 0 ? 1 : -R; dx <= R; ++dx) {
            offsets[f++] = {dy, dx};
        }
    }
    return offsets;
}

}  // namespace trimatte
