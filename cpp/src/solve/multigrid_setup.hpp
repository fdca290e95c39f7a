// Making the levels of the multigrid. Private to this folder.
#pragma once

#include <array>
#include <memory>

#include "multigrid_level.hpp"

namespace trimatte {

// The largest eigenvalue of A, from above: Lanczos. A value below the true one spoils the smoother; one a little above
// costs nothing.
template <int B>
double largest_eigenvalue(const Grid& grid, const float* A, const Context& context);

// A level and those below it, for a matrix A with the near-null vectors N (B * C planes: number b of a node in vector c
// is plane b * C + c), which become T.
template <int B, int C>
std::unique_ptr<Smoother<B, C>> make_smoother(const Grid& grid, const float* A, Buffer<float>&& N,
                                              const Context& context);

// T^T (I - omega A) A (I - omega A) T: the coarse matrix, in the layout of its grid, diagonal blocks first (C * C
// planes), then one plane for each forward offset and pair of numbers.
template <int C>
struct CoarseMatrix {
    Grid grid;
    Buffer<float> diagonal;
    Buffer<float> A;
};
template <int B, int C>
CoarseMatrix<C> galerkin(const LevelMatrix<B>& fine, const float* T, const Context& context);

// The same for pixels, fast.
template <int C>
CoarseMatrix<C> galerkin_of_pixels(const LevelMatrix<1>& fine, const float* T, const Context& context);

// Orthonormal T in place of N, cell by cell; returns the factors R with N = T R as planes of the coarse grid.
template <int B, int C>
Buffer<float> orthonormalise_cells(const Grid& grid, float* N, const Grid& coarse, const Context& context);

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
