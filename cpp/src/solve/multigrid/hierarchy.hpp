// Making the levels of the multigrid. Private to this folder.
#pragma once

#include <array>
#include <memory>

#include "solve/multigrid/level.hpp"

namespace trimatte {

// The largest eigenvalue of A: Lanczos. What is too small by a tenth or more (on cells, by little) spoils the smoother,
// what is a little too large costs nothing.
template <int B>
double largest_eigenvalue(const Grid& grid, const float* A, const Context& context);

// A level and those below it, for a matrix A with the near-null vectors N (see make_prolongation).
template <int B>
std::unique_ptr<Smoother<B>> make_smoother(const Grid& grid, const float* A, Buffer<float>&& N, const Context& context);

// A matrix of cells with the 4 * columns * columns entries of a slot in one piece.
Buffer<float> in_one_piece(const LevelMatrix<columns>& matrix, const Context& context);

// Place in a matrix of cells of entry e = (f * columns + u) * columns + c of a slot; see kernels_multigrid.inl.
inline std::int64_t entry_of_cell(std::int64_t slot, int e) {
    constexpr std::int64_t group = Strip::lanes;
    return (slot / group * 4 * columns * columns + e) * group + slot % group;
}

// P^T A P: the coarse matrix. Diagonal blocks apart, in columns * columns planes.
struct CoarseMatrix {
    Grid grid;
    Buffer<float> diagonal;
    Buffer<float> A;
};
template <int B>
CoarseMatrix galerkin(const LevelMatrix<B>& fine, const Prolongation<B>& P, Grid&& coarse, const Context& context);

// The grid whose nodes are the cells of `fine`.
Grid coarse_grid(const Grid& fine);

// The forward offsets of a reach, in the order of the planes.
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
